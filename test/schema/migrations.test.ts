import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { MIGRATIONS } from '../../src/schema/migrations.js';
import { prepareSchema } from '../../src/schema/prepareSchema.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

/** Versions before sql/schema applied the files up to this one to a stand-in for a customer's table of reads. */
const LAST_BEFORE_ACCESS = 'phase4_schema_changes.sql';
const silent = createLogger('test', 'silent');

/** Leaves before the table is named, unless the function that writes it is the one of our own table. */
const GUARD =
  /proname = 'ami_write_batch'\s+AND position\('ami_written_reads' IN prosrc\) = 0;\s+IF definition IS NULL THEN\s+RETURN;\s+END IF;/;

describe('migrations', () => {
  const made: TestDatabase[] = [];
  const emptyDatabase = async (): Promise<TestDatabase> => {
    const database = await createTestDatabase('empty');
    made.push(database);
    return database;
  };
  afterEach(async () => {
    for (const database of made.splice(0)) await database.drop();
  });

  it('are applied once by twelve processes at once, queue and partitions included', async () => {
    const database = await emptyDatabase();
    await Promise.all(Array.from({ length: 12 }, () => prepareStorage(database.url, true, silent)));
    const { rows } = await database.pool.query('SELECT name FROM ami_migrations ORDER BY applied_at, name');
    expect(rows.map((row) => row.name).sort()).toEqual([...MIGRATIONS].sort());
    const partitions = await database.pool.query(
      `SELECT 1 FROM pg_inherits WHERE inhparent = 'meter_reads_electric'::regclass`,
    );
    expect(partitions.rowCount).toBe(9);
  });

  it("take no table for a customer's that another process made while they waited for it", async () => {
    const database = await emptyDatabase();
    const first = await database.pool.connect();
    await first.query('BEGIN');
    await prepareSchema(first, { defaultTenantId: 'T' });
    const second = prepareStorage(database.url, false, silent);
    await waitFor('the second to wait', async () => {
      const { rowCount } = await database.pool.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (
           SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return rowCount === 1;
    });
    await first.query('COMMIT');
    first.release();
    expect((await second).reads.own).toBe(true);
    const { rows } = await database.pool.query('SELECT DISTINCT kind FROM ami_schema_changes');
    expect(rows).toEqual([{ kind: 'create' }]);
  });

  it('refuse a file that was edited after it had been applied', async () => {
    const database = await emptyDatabase();
    await prepareStorage(database.url, false, silent);
    await database.pool.query(`UPDATE ami_migrations SET checksum = 'another' WHERE name = $1`, [
      MIGRATIONS[0],
    ]);
    await expect(prepareStorage(database.url, false, silent)).rejects.toThrow(
      /was changed after it had been applied/,
    );
  });

  it('leave a table that reads cannot be written to alone', async () => {
    const database = await emptyDatabase();
    await database.pool.query('CREATE TABLE meter_reads_electric (id int)');
    await expect(prepareStorage(database.url, false, silent)).rejects.toThrow(
      /meter_reads_electric has no column for the meter/,
    );
    const { rows } = await database.pool.query(`SELECT to_regclass('ami_pacing') AS made`);
    expect(rows[0].made).toBeNull();
  });

  it('run for a role that may not create anything, once they have been applied', async () => {
    const database = await emptyDatabase();
    await prepareStorage(database.url, false, silent);
    const role = `reader_${Date.now()}`;
    await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`);
    try {
      const url = new URL(database.url);
      url.username = role;
      url.password = 'reader';
      await database.pool.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
      const refused = await prepareStorage(url.href, false, silent).catch((error: Error) => error.message);
      expect(refused).toMatch(
        /^Role reader_\d+ may not use all of GridLens's own tables: GRANT SELECT, INSERT/,
      );
      // What the sentence says is enough.
      await database.pool.query(String(refused).replace(/^.*?: /, ''));
      await expect(prepareStorage(url.href, false, silent)).resolves.toMatchObject({ ownSchema: 'public' });
    } finally {
      await database.pool.query(`DROP OWNED BY ${role}`);
      await database.pool.query(`DROP ROLE ${role}`);
    }
  });

  it('name the table of reads nowhere after the files that run against a stand-in for it', async () => {
    const after = MIGRATIONS.slice(MIGRATIONS.indexOf(LAST_BEFORE_ACCESS) + 1);
    expect(after.length).toBeGreaterThan(0);
    for (const name of after) {
      const sql = await readFile(new URL(`../../sql/migrations/${name}`, import.meta.url), 'utf8');
      // A block that ends where the writer is a customer's may name our own.
      const unguarded = sql.replace(/DO \$migrate\$(?:(?!\$migrate\$;)[\s\S])*\$migrate\$;/g, (block) =>
        GUARD.test(block) ? '' : block,
      );
      expect(unguarded, name).not.toContain('meter_reads_electric');
    }
  });
});

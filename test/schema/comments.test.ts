import { afterEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../src/db/db.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { foldFunctions } from '../../src/schema/functions/foldTriggers.js';
import { readSchemaFile } from '../../src/schema/schemaFiles.js';
import { planReport, planSchema } from '../../src/schema/schemaPlan.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const NOW = new Date('2026-06-01T10:00:00Z');

describe('comments on the objects of GridLens', () => {
  const made: TestDatabase[] = [];
  const databaseWith = async (sql: string): Promise<TestDatabase> => {
    const database = await createTestDatabase('empty');
    made.push(database);
    await database.pool.query(sql);
    return database;
  };
  afterEach(async () => {
    for (const database of made.splice(0)) await database.drop();
  });
  const start = (url: string) => prepareStorage(url, false, createLogger('test', 'silent'));
  const commentOf = async ({ pool }: TestDatabase, table: string): Promise<string | null> =>
    (await pool.query(`SELECT obj_description($1::text::regclass, 'pg_class') AS comment`, [table])).rows[0]
      .comment;
  const plan = async ({ url }: TestDatabase) => {
    const database = createDatabase({
      connectionString: url,
      applicationName: 'test',
      maxConnections: 1,
      queryTimeoutMs: 60_000,
      onIdleError: () => undefined,
    });
    try {
      return await planSchema(database, { defaultTenantId: 'T', queueSchema: undefined, now: NOW });
    } finally {
      await database.end();
    }
  };

  it('are planned, written at the next start where they are missing or others, and then left alone', async () => {
    const database = await databaseWith('SELECT');
    await start(database.url);
    await database.pool.query(`COMMENT ON TABLE ami_pacing IS NULL; COMMENT ON COLUMN ami_events.severity IS 'old';
      COMMENT ON FUNCTION ami_percent(numeric, numeric) IS NULL; COMMENT ON PROCEDURE ami_rebuild_rollups() IS 'old';
      COMMENT ON TYPE ami_anomaly_change IS NULL; COMMENT ON FUNCTION ami_rollup_spans() IS NULL`);
    const before = await plan(database);
    expect(before).toMatchObject({ comments: 6, changed: [] });
    expect(planReport(before)).toContain('Comments on objects of GridLens that would be written: 6.');
    expect(await commentOf(database, 'ami_pacing')).toBeNull();
    await start(database.url);
    expect(await commentOf(database, 'ami_pacing')).toMatch(/^One row for the whole deployment\./);
    expect(await plan(database)).toMatchObject({ comments: 0 });
  });

  it('hold up no process whose role may not write them', async () => {
    const database = await databaseWith('SELECT');
    await start(database.url);
    const role = `commenter_${Date.now()}`;
    await database.pool.query(`COMMENT ON TABLE ami_pacing IS NULL; CREATE ROLE ${role} LOGIN PASSWORD '${role}';
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
      GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO ${role}`);
    try {
      const url = new URL(database.url);
      Object.assign(url, { username: role, password: role });
      await expect(start(url.href)).resolves.toMatchObject({ ownSchema: 'public' });
      expect(await commentOf(database, 'ami_pacing')).toBeNull();
    } finally {
      await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it("are written on nothing that is a customer's", async () => {
    const database = await databaseWith(`
      CREATE TABLE meter_reads_electric (tenant_id text, meter_id text, feeder_id text, read_at timestamptz,
        kwh numeric, delivered_kwh numeric, voltage numeric, quality_flags text[], updated_at timestamptz,
        UNIQUE (tenant_id, meter_id, read_at));
      CREATE TABLE feeders (feeder_id text PRIMARY KEY, name text);
      CREATE TABLE meters (meter_id text PRIMARY KEY, feeder_id text, is_active boolean);
      CREATE TABLE ami_events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id text NOT NULL,
        feeder_id text NOT NULL, event_type text NOT NULL, severity numeric NOT NULL, start_at timestamptz NOT NULL,
        end_at timestamptz NOT NULL, is_active boolean NOT NULL);
      CREATE VIEW v_kpi_fieldops_daily AS SELECT tenant_id, read_at::date AS day, feeder_id FROM meter_reads_electric`);
    await start(database.url);
    const { rows } = await database.pool.query(
      `SELECT objoid::regclass::text AS object, objsubid AS part FROM pg_description
       WHERE classoid = 'pg_class'::regclass AND objoid = ANY (
         '{meter_reads_electric, feeders, meters, ami_events, v_kpi_fieldops_daily}'::regclass[])`,
    );
    expect(rows).toEqual([]);
    expect(await commentOf(database, 'v_kpi_electric_overview_daily')).not.toBeNull();
    expect(await plan(database)).toMatchObject({ comments: 0 });
  });
});

describe('the fold functions of an adopted table', () => {
  it('are the same whether the canonical ones name the table of reads or the stand-in of earlier versions', async () => {
    const files = ['rollup_inserts.sql', 'rollup_folds.sql'];
    const sql = (await Promise.all(files.map(readSchemaFile))).join('\n');
    const bodies = new Map(
      [...sql.matchAll(/CREATE FUNCTION (ami_fold_\w+)\(\)[^$]*\$\$(.*?)\$\$;/gs)].map(
        ([, name = '', body = '']): [string, string] => [name, body],
      ),
    );
    expect(bodies.size).toBe(4);
    const earlier = new Map(
      [...bodies].map(([name, body]) => [
        name,
        body.replaceAll('meter_reads_electric', 'ami_stand_in_reads'),
      ]),
    );
    expect(earlier).not.toEqual(bodies);
    const { reads } = ownMapping('public');
    const customers = { ...reads, own: false, table: { schema: 'mdm', name: 'reads' } };
    const functions = foldFunctions(customers, bodies);
    expect(foldFunctions(customers, earlier)).toEqual(functions);
    for (const { body } of functions) expect(body).not.toMatch(/meter_reads_electric|stand_in/);
    expect(functions.map(({ body }) => body).join()).toContain('A MERGE into mdm.reads cannot both');
  });
});

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartupError } from '../contracts/errors.js';
import { type Database, type Queryable, withTransaction } from '../db.js';

/**
 * The SQL files, in the order in which they are applied. Append only: a file that has been applied somewhere
 * is never edited, and the ledger's checksum says so when it was.
 */
export const MIGRATIONS = [
  'phase1_meter_reads.sql',
  'phase1_read_counters.sql',
  'phase2_publish_ledger.sql',
  'phase2_write_batch.sql',
  'phase3_ami_events.sql',
  'phase3_rollups.sql',
  'phase3_rollup_changes.sql',
  'phase3_rollup_upkeep.sql',
  'phase3_kpi_views.sql',
  'phase3_write_batch.sql',
] as const;

const SQL_FOLDER = new URL('../../sql/', import.meta.url);
/** Any number of processes may start at once; one migrates, the others wait and find it done. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('gridlens:migrations', 0))";

/**
 * Brings the schema up to date: the missing files in their order, in one transaction with their ledger rows.
 *
 * @returns the names of the files that were applied now.
 * @throws StartupError when an applied file was edited since, or a table of ours exists that is not ours.
 */
export async function migrate(database: Database): Promise<string[]> {
  const files = await Promise.all(MIGRATIONS.map(readMigration));
  // Read first, so that a role without the right to create can run what has already been migrated.
  if ((await pending(database, files)).length === 0) return [];
  return withTransaction(database, async (client) => {
    await client.query(LOCK);
    await client.query(
      `CREATE TABLE IF NOT EXISTS ami_migrations (
         name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const missing = await pending(client, files);
    if (missing[0]?.name === MIGRATIONS[0]) await refuseForeignTable(client);
    for (const { name, sql, checksum } of missing) {
      await client.query(sql);
      await client.query('INSERT INTO ami_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
    }
    return missing.map(({ name }) => name);
  });
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

async function readMigration(name: string): Promise<Migration> {
  const sql = await readFile(new URL(name, SQL_FOLDER), 'utf8');
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

async function pending(client: Queryable, files: Migration[]): Promise<Migration[]> {
  const ledger = await client.query<{ present: boolean }>(
    `SELECT to_regclass('ami_migrations') IS NOT NULL AS present`,
  );
  if (!ledger.rows[0]?.present) return files;
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM ami_migrations',
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  for (const { name, checksum } of files) {
    if (applied.has(name) && applied.get(name) !== checksum) {
      throw new StartupError(
        `sql/${name} was changed after it had been applied to this database: put the file back as it was and add a new one.`,
      );
    }
  }
  return files.filter(({ name }) => !applied.has(name));
}

/** Until existing schemas are adapted, a foreign table is left alone rather than half used. */
async function refuseForeignTable(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('meter_reads_electric') IS NOT NULL AS present`,
  );
  if (rows[0]?.present) {
    throw new StartupError(
      'The database already has a table meter_reads_electric that GridLens did not make: existing schemas are not adapted yet, so give it a database of its own in DATABASE_URL.',
    );
  }
}

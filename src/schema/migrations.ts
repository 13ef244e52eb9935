import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';

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
  'phase4_schema_changes.sql',
  'phase4_reads_access.sql',
  'phase4_registry_fleets.sql',
  'phase5_lanes.sql',
  'phase5_automatic.sql',
  'phase5_backfills.sql',
  'phase5_job_heartbeat.sql',
  'phase5_ledger_pruning.sql',
] as const;

/** The files up to this one are applied before the functions through which reads are looked up are made. */
export const LAST_BEFORE_ACCESS = 'phase4_schema_changes.sql';

const SQL_FOLDER = new URL('../../sql/', import.meta.url);

export interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** Any number of processes may start at once; one migrates, the others wait and find it done. */
export async function lockMigrations(client: Queryable): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('gridlens:migrations', 0))");
}

/**
 * Whether a table is on the search path. Reads pg_class: to_regclass answers from a cache that waiting for an advisory
 * lock does not refresh, and who waited took a table of reads that GridLens had just made for a customer's.
 */
export async function isTable(client: Queryable, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relname = $1 AND nspname = ANY (current_schemas(false))`,
    [name],
  );
  return rowCount !== 0;
}

/**
 * The files that this database has not had, in their order.
 *
 * @throws StartupError when an applied file was edited since.
 */
export async function pendingMigrations(client: Queryable): Promise<Migration[]> {
  const files = await Promise.all(MIGRATIONS.map(readMigration));
  if (!(await isTable(client, 'ami_migrations'))) return files;
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

/**
 * Applies files with their ledger rows, in the caller's transaction.
 *
 * @param readsTable what the files' `meter_reads_electric` is called in this database.
 */
export async function applyMigrations(
  client: Queryable,
  files: readonly Migration[],
  readsTable: string,
): Promise<void> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS ami_migrations (
       name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  for (const { name, sql, checksum } of files) {
    await client.query(inThisDatabase(sql, readsTable));
    await client.query('INSERT INTO ami_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
  }
}

/** Phase 3 looks up its schema in a way that fails where the schema's name needs quotes. */
function inThisDatabase(sql: string, readsTable: string): string {
  return sql
    .replaceAll('meter_reads_electric', readsTable)
    .replaceAll(' current_schema()::regnamespace', ' quote_ident(current_schema())::regnamespace');
}

/** A file of `sql/` that is no migration. */
export function readSql(name: string): Promise<string> {
  return readFile(new URL(name, SQL_FOLDER), 'utf8');
}

async function readMigration(name: string): Promise<Migration> {
  const sql = await readSql(name);
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

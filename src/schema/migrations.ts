import { createHash } from 'node:crypto';
import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';
import { takeLock } from '../db/locks.js';
import { readSqlFile } from './readSqlFile.js';

/**
 * The files of `sql/migrations`, in the order in which they are applied to a database that has had some of them. Append
 * only: a file that has been applied somewhere is never edited, and the ledger's checksum says so when it was. A
 * database without any history is made from `sql/schema` instead (`schemaFiles.ts`), where the result of a new file has
 * to stand too.
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
  'phase6_implausible_reads.sql',
  'phase6_meter_fingerprints.sql',
  'phase7_imports.sql',
  'phase7_reads_as_of.sql',
  'phase8_late_delivery.sql',
  'phase8_local_days.sql',
  'phase8_read_lengths.sql',
  'phase8_vee.sql',
  'phase8_vee_estimates.sql',
  'phase9_archive.sql',
  'phase9_emulation.sql',
  'phase9_import_refusals.sql',
  'phase9_theft_forms.sql',
  'phase9_two_channels.sql',
  'phase10_zone_days.sql',
  'phase11_estimates.sql',
  'phase11_stale_lengths.sql',
  'phase11_lateness.sql',
  'phase11_customers.sql',
  'phase12_received_rollups.sql',
] as const;

export interface Migration {
  name: string;
  sql: string;
  checksum: string;
  /** What earlier versions recorded when they ran from a checkout with CRLF. */
  checksumWithCrlf: string;
}

/** Any number of processes may start at once; one migrates, the others wait and find it done. */
export async function lockMigrations(client: Queryable): Promise<void> {
  await takeLock(client, 'migrations');
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

/** Whether GridLens has been in this database before; a fresh one has no ledger of migrations. */
export function hasHistory(client: Queryable): Promise<boolean> {
  return isTable(client, 'ami_migrations');
}

/**
 * The files that this database has not had, in their order; all of them where it is fresh.
 *
 * @throws StartupError when an applied file was edited since.
 */
export async function pendingMigrations(client: Queryable): Promise<Migration[]> {
  const files = await Promise.all(MIGRATIONS.map(readMigration));
  if (!(await hasHistory(client))) return files;
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM ami_migrations',
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  for (const { name, checksum, checksumWithCrlf } of files) {
    const recorded = applied.get(name);
    if (recorded !== undefined && recorded !== checksum && recorded !== checksumWithCrlf) {
      throw new StartupError(
        `sql/migrations/${name} was changed after it had been applied to this database: put the file back as it was and add a new one.`,
      );
    }
  }
  return files.filter(({ name }) => !applied.has(name));
}

/** Applies files with their ledger rows, in the caller's transaction. */
export async function applyMigrations(client: Queryable, files: readonly Migration[]): Promise<void> {
  for (const file of files) {
    await client.query(inThisDatabase(file.sql));
    await recordMigrations(client, [file]);
  }
}

/** Notes that this database has what the files make. */
export async function recordMigrations(client: Queryable, files: readonly Migration[]): Promise<void> {
  await client.query(
    'INSERT INTO ami_migrations (name, checksum) SELECT * FROM unnest($1::text[], $2::text[])',
    [files.map(({ name }) => name), files.map(({ checksum }) => checksum)],
  );
}

/** Phase 3 looks up its schema in a way that fails where the schema's name needs quotes. */
function inThisDatabase(sql: string): string {
  return sql.replaceAll(' current_schema()::regnamespace', ' quote_ident(current_schema())::regnamespace');
}

async function readMigration(name: string): Promise<Migration> {
  const sql = await readSqlFile(`migrations/${name}`);
  return { name, sql, checksum: sha256(sql), checksumWithCrlf: sha256(sql.replaceAll('\n', '\r\n')) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import type { Queryable } from '../db/db.js';
import { KPI_VIEWS, type SchemaMapping } from './mapping.js';
import { readSqlFile } from './readSqlFile.js';

/** What there is to know before a file can be said to apply: which objects are a customer's. */
export interface Ownership {
  mapping: SchemaMapping;
  /** Whether `ami_events` is, or will be, GridLens's own table. */
  events: boolean;
}

interface SchemaFile {
  name: string;
  /** Whether what the file makes, or comments on, is GridLens's own here; always where it is left out. */
  applies?: (ownership: Ownership) => boolean;
}

const ownReads = ({ mapping }: Ownership): boolean => mapping.reads.own;

/**
 * The files of `sql/schema`: the database as it is now, each table, type, function and view once.
 *
 * In the order in which a fresh database is made from them. A change of the schema is made twice: in the file of its
 * subject here, and in a new file of `sql/migrations` for databases that are there already. A test holds the two to the
 * same result.
 */
const SCHEMA_FILES: readonly SchemaFile[] = [
  { name: 'migrations.sql' },
  { name: 'schema_changes.sql' },
  { name: 'registry_snapshots.sql' },
  { name: 'imports.sql' },
  { name: 'ledger.sql' },
  { name: 'pacing.sql' },
  { name: 'workers.sql' },
  { name: 'events.sql' },
  { name: 'event_comments.sql', applies: ({ events }) => events },
  { name: 'automatic.sql' },
  { name: 'backfills.sql' },
  { name: 'local_days.sql' },
  { name: 'rollups.sql' },
  { name: 'interval_lengths.sql' },
  { name: 'estimates.sql' },
  { name: 'known_meters.sql' },
  { name: 'rollup_inserts.sql' },
  { name: 'rollup_changes.sql' },
  { name: 'rollup_folds.sql' },
  { name: 'rollup_rebuild.sql' },
  { name: 'vee.sql' },
  { name: 'reads.sql', applies: ownReads },
  { name: 'read_partitions.sql', applies: ownReads },
  { name: 'archive.sql' },
  { name: 'completeness.sql' },
  { name: 'kpi_functions.sql' },
  ...KPI_VIEWS.map((view) => ({
    name: `${view}.sql`,
    applies: ({ mapping }: Ownership) => mapping.kpiViews[view].own,
  })),
];

/** Tables that are made whenever the database has none, also years after the first start. */
const REGISTRY_FILES: readonly SchemaFile[] = [
  { name: 'feeders.sql', applies: ({ mapping }) => mapping.registry.feeders?.own === true },
  { name: 'meters.sql', applies: ({ mapping }) => mapping.registry.meters.own },
];

/** Comments on the functions that start-up makes for the table of reads (`functions/`). */
const MADE_FUNCTION_FILES: readonly SchemaFile[] = [
  { name: 'reads_access.sql' },
  { name: 'adopted_reads.sql', applies: ({ mapping }) => !mapping.reads.own },
];

const ALL_FILES = [...SCHEMA_FILES, ...REGISTRY_FILES, ...MADE_FUNCTION_FILES];

/** Every file of `sql/schema`. */
export const SCHEMA_FILE_NAMES: readonly string[] = ALL_FILES.map(({ name }) => name);

export function readSchemaFile(name: string): Promise<string> {
  return readSqlFile(`schema/${name}`);
}

/** Makes the schema in a database that has none of it, in the caller's transaction. */
export async function makeSchema(client: Queryable, ownership: Ownership): Promise<void> {
  const { rows } = await client.query<{ path: string }>(`SELECT current_setting('search_path') AS path`);
  for (const sql of await filesFor(SCHEMA_FILES, ownership)) {
    await client.query(sql);
    // A file may have set a path for the functions in it.
    await client.query(`SELECT set_config('search_path', $1, true)`, [rows[0]?.path]);
  }
}

/** The text of every file that applies, also of those whose objects `makeSchema` does not make. */
export function schemaTexts(ownership: Ownership): Promise<string[]> {
  return filesFor(ALL_FILES, ownership);
}

function filesFor(files: readonly SchemaFile[], ownership: Ownership): Promise<string[]> {
  const applying = files.filter(({ applies }) => applies?.(ownership) ?? true);
  return Promise.all(applying.map(({ name }) => readSchemaFile(name)));
}

/**
 * Whether `ami_events` is GridLens's own, or not there yet. A table that a customer made from the pilot request has none
 * of the constraints.
 */
export async function ownsEvents(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ own: boolean }>(
    `SELECT coalesce(bool_or(EXISTS (
       SELECT FROM pg_constraint WHERE conrelid = relation.oid AND conname = 'ami_events_type_known')), true) AS own
     FROM pg_class relation
     WHERE relname = 'ami_events' AND relnamespace = quote_ident(current_schema())::regnamespace`,
  );
  return rows[0]?.own ?? true;
}

import type { Queryable } from '../../db/db.js';
import { type PinnedColumns, type RelationName, relationKey } from '../mapping.js';
import { isTable } from '../migrations.js';

/** What GridLens has done to this database before. */
export interface SchemaHistory {
  /** Whether the table of reads is one that GridLens made. */
  readsAreOurs: boolean;
  /** How the customer's table of reads was adopted; undefined before. */
  adoption: Adoption | undefined;
  /** The adopted relation, as it is called now, where our triggers are still on it. */
  triggersAt: string | undefined;
  /** Keys of the relations that GridLens made beside its `ami_` ones. */
  created: ReadonlySet<string>;
  addedColumns(table: RelationName): ReadonlySet<string>;
}

/** The mapping that the rollups were counted by. */
export interface Adoption {
  oid: number;
  columns: PinnedColumns;
}

export interface SchemaChange {
  kind: 'adopt' | 'create' | 'add column' | 'add unique key' | 'add trigger';
  table: RelationName;
  column?: string;
  statement: string;
  reason: string;
}

/** Reads the two ledgers; a database that GridLens has never seen has neither. */
export async function readSchemaHistory(client: Queryable): Promise<SchemaHistory> {
  const migrations = await isTable(client, 'ami_migrations');
  const changes = await isTable(client, 'ami_schema_changes');
  const { rows: applied } = migrations
    ? await client.query(`SELECT FROM ami_migrations WHERE name = 'phase1_meter_reads.sql'`)
    : { rows: [] };
  const { rows } = changes
    ? await client.query<{
        kind: string;
        schema: string;
        name: string;
        column: string | null;
        statement: string;
      }>(
        `SELECT kind, table_schema AS schema, table_name AS name, column_name AS column, statement
         FROM ami_schema_changes ORDER BY change`,
      )
    : { rows: [] };
  const adopted = rows.findLast(({ kind }) => kind === 'adopt');
  const adoption = adopted && (JSON.parse(adopted.statement) as Adoption);
  return {
    readsAreOurs: applied.length > 0 && !adopted,
    adoption,
    triggersAt: adoption && (await relationWithTriggers(client, adoption.oid)),
    created: new Set(rows.filter(({ kind }) => kind === 'create').map(relationKey)),
    addedColumns: (table) =>
      new Set(
        rows
          .filter((row) => row.kind === 'add column' && relationKey(row) === relationKey(table))
          .flatMap(({ column }) => column ?? []),
      ),
  };
}

async function relationWithTriggers(client: Queryable, oid: number): Promise<string | undefined> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT format('%I.%I', nspname, relname) AS relation
     FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE pg_class.oid = $1 AND EXISTS (
       SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'ami_fold_inserted_reads')`,
    [oid],
  );
  return rows[0]?.relation;
}

/** Notes what was done to a table, with the statement that did it. */
export async function recordSchemaChange(client: Queryable, change: SchemaChange): Promise<void> {
  const { kind, table, column, statement, reason } = change;
  await client.query(
    `INSERT INTO ami_schema_changes (kind, table_schema, table_name, column_name, statement, reason)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [kind, table.schema, table.name, column ?? null, statement, reason],
  );
}

/** What was done to tables that GridLens did not make, oldest first. */
export async function listSchemaChanges(client: Queryable) {
  const { rows } = await client.query<{
    changedAt: Date;
    kind: SchemaChange['kind'];
    table: string;
    /** Null for an adoption, which is none. */
    statement: string | null;
    reason: string;
  }>(
    `SELECT changed_at AS "changedAt", kind, format('%I.%I', table_schema, table_name) AS table,
       CASE WHEN kind <> 'adopt' THEN statement END AS statement, reason
     FROM ami_schema_changes ORDER BY change`,
  );
  return rows;
}

import type { Queryable } from '../db.js';
import { isTable } from '../stores/migrations.js';
import type { RelationName } from './mapping.js';
import { relationKey } from './relationKey.js';

/** What GridLens has done to this database before. */
export interface SchemaHistory {
  /** Whether the table of reads is one that GridLens made. */
  readsAreOurs: boolean;
  /** The customer's table of reads that was adopted, as it was called then; undefined before. */
  adopted: string | undefined;
  /** Keys of the relations that GridLens made beside its `ami_` ones. */
  created: ReadonlySet<string>;
  addedColumns(table: RelationName): ReadonlySet<string>;
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
    ? await client.query<{ kind: string; schema: string; name: string; column: string | null }>(
        `SELECT kind, table_schema AS schema, table_name AS name, column_name AS column FROM ami_schema_changes`,
      )
    : { rows: [] };
  const adopted = rows.find(({ kind }) => kind === 'adopt');
  return {
    readsAreOurs: applied.length > 0 && !adopted,
    adopted: adopted && `${adopted.schema}.${adopted.name}`,
    created: new Set(rows.filter(({ kind }) => kind === 'create').map(relationKey)),
    addedColumns: (table) =>
      new Set(
        rows
          .filter((row) => row.kind === 'add column' && relationKey(row) === relationKey(table))
          .flatMap(({ column }) => column ?? []),
      ),
  };
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
    statement: string;
    reason: string;
  }>(
    `SELECT changed_at AS "changedAt", kind, format('%I.%I', table_schema, table_name) AS table, statement, reason
     FROM ami_schema_changes ORDER BY change`,
  );
  return rows;
}

import type { Queryable } from '../db/db.js';
import { missingQueueCharacters } from './queueCharacters.js';

/** Who migrated; a customer's own table may be called `ami_…` too. */
const OWNER = `(SELECT relowner FROM pg_class WHERE oid = to_regclass('ami_migrations'))`;

/** Statements that give a role what it lacks. */
export interface MissingRights {
  /** For SQL. */
  role: string;
  grants: string[];
}

/**
 * The sentence to refuse a start with; undefined when nothing is lacking.
 *
 * @param queue of the queue in Postgres.
 */
export function missingRights(own: MissingRights, queue: MissingRights | undefined): string | undefined {
  const ofQueue = queue?.grants ?? [];
  if (own.grants.length > 0)
    return `Role ${own.role} may not use all of GridLens's own tables: ${[...own.grants, ...ofQueue].join(' ')}`;
  if (ofQueue.length > 0)
    return `Role ${queue?.role} may not do all that the queue does in Postgres: ${ofQueue.join(' ')} ${OR_REDIS}`;
  return undefined;
}

const OR_REDIS = 'or set REDIS_URL, and the queue is in Redis.';

/**
 * What the role lacks on GridLens's own tables, sequences and functions to run API and worker. A role other than the one
 * that migrated has to be given it.
 */
export async function missingOwnRights(client: Queryable): Promise<MissingRights> {
  const { rows } = await client.query<{
    role: string;
    tables: string[];
    sequences: string[];
    routines: string[];
  }>(
    `SELECT quote_ident(current_user) AS role,
       ARRAY(SELECT oid::regclass::text FROM pg_class
             WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relowner = ${OWNER} AND relkind IN ('r', 'p')
               AND NOT relispartition AND relname LIKE 'ami\\_%'
               AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                 AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
             ORDER BY 1) AS tables,
       ARRAY(SELECT oid::regclass::text FROM pg_class
             WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relowner = ${OWNER} AND relname LIKE 'ami\\_%'
               -- CASE, since AND may ask of a table whether it is a sequence.
               AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') END
             ORDER BY 1) AS sequences,
       ARRAY(SELECT oid::regprocedure::text FROM pg_proc
             WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proowner = ${OWNER} AND proname LIKE 'ami\\_%'
               AND prorettype <> 'trigger'::regtype AND proname <> 'ami_drop_read_partitions_before'
               AND NOT has_function_privilege(oid, 'EXECUTE')
             ORDER BY 1) AS routines`,
  );
  const { role, tables, sequences, routines } = rows[0] as (typeof rows)[number];
  const grants = [
    ...(tables.length > 0
      ? [`GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.join(', ')} TO ${role};`]
      : []),
    ...(sequences.length > 0 ? [`GRANT USAGE ON SEQUENCE ${sequences.join(', ')} TO ${role};`] : []),
    ...(routines.length > 0 ? [`GRANT EXECUTE ON ROUTINE ${routines.join(', ')} TO ${role};`] : []),
  ];
  return { role, grants };
}

/**
 * Why the queue cannot work here, with the statement that mends it; undefined when its schema is there or can be made, and
 * the database takes its SQL.
 */
export async function queueRefusal(client: Queryable, schema: string): Promise<string | undefined> {
  const { rows } = await client.query<{ role: string; database: string; can: boolean; foreign: boolean }>(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
       (SELECT count(*) > 0 AND count(*) FILTER (WHERE relname = 'migration') = 0
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1::text) AS foreign,
       to_regnamespace($1::text) IS NOT NULL OR has_database_privilege(current_database(), 'CREATE') AS can`,
    [schema],
  );
  const { role, database, can, foreign } = rows[0] as (typeof rows)[number];
  if (foreign)
    return `The database has a schema ${schema} that is not the queue's: set REDIS_URL, and the queue is in Redis, or rename it: ALTER SCHEMA ${schema} RENAME TO ${schema}_original;`;
  if (can) return missingQueueCharacters(client);
  return `Role ${role} may not create the queue's schema ${schema} in database ${database}: GRANT CREATE ON DATABASE ${database} TO ${role}; ${OR_REDIS}`;
}

/**
 * What the role lacks to run the queue. BullMQ makes a sequence in its schema at the first job of each queue, and
 * temporary tables for each lot of jobs: a role without those two rights starts, and cannot publish.
 */
export async function missingQueueRights(client: Queryable, schema: string): Promise<MissingRights> {
  const { rows } = await client.query<{
    role: string;
    database: string;
    mayUse: boolean;
    mayMakeTemporary: boolean;
  }>(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
       has_database_privilege(current_database(), 'TEMPORARY') AS "mayMakeTemporary",
       coalesce(has_schema_privilege(queue.oid, 'USAGE') AND has_schema_privilege(queue.oid, 'CREATE')
         AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = queue.oid
           -- CASE, since AND may ask of a table whether it is a sequence.
           AND CASE WHEN relkind IN ('r', 'p') THEN NOT has_table_privilege(oid, 'DELETE')
                    WHEN relkind = 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') END), true) AS "mayUse"
     FROM (SELECT to_regnamespace($1)::oid AS oid) queue`,
    [schema],
  );
  const { role, database, mayUse, mayMakeTemporary } = rows[0] as (typeof rows)[number];
  return {
    role,
    grants: [
      ...(mayUse
        ? []
        : [`GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`, ...grantsOnQueue(schema, role)]),
      ...(mayMakeTemporary ? [] : [`GRANT TEMPORARY ON DATABASE ${database} TO ${role};`]),
    ],
  };
}

function grantsOnQueue(schema: string, role: string): string[] {
  return ['TABLES', 'SEQUENCES', 'ROUTINES'].map(
    (kind) => `GRANT ALL ON ALL ${kind} IN SCHEMA ${schema} TO ${role};`,
  );
}

/**
 * The own schema, where everybody may create something in it: a function there can be made to run in the place of one
 * that the triggers call, with their owner's rights. So it is by default up to Postgres 14; undefined where not.
 */
export async function openSchema(client: Queryable): Promise<string | undefined> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT quote_ident(current_schema()) AS schema WHERE has_schema_privilege('public', current_schema(), 'CREATE')`,
  );
  return rows[0]?.schema;
}

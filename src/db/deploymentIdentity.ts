import { createHash } from 'node:crypto';
import type { Queryable } from './queryable.js';

/** Which database a connection leads to, whatever host, port or pooler it goes by. */
export interface DatabasePlace {
  /** What the Postgres server calls itself since its initdb; undefined where the role may not ask. */
  server: string | undefined;
  /** The database's number in its server, which a database that is restored or copied does not keep. */
  database: string;
  /** The schema of the tables of GridLens. */
  schema: string;
}

/** What keeps the queue of one deployment apart from the queues of all others. */
export interface QueueIdentity {
  /** Prefix of all keys in Redis; the braces keep them in one slot of a cluster. */
  redisPrefix: string;
  /** The schema of the queue in Postgres. */
  schema: string;
}

/** Of a deployment whose tables are in `public`, since ever. */
export const QUEUE_SCHEMA = 'bullmq';
/** Names that need no quotes, short enough that Postgres does not cut them behind `bullmq_`. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,54}$/;

/** Asks a database what it is. */
export async function databasePlace(client: Queryable): Promise<DatabasePlace> {
  const { rows } = await client.query<{ database: string; schema: string; may: boolean }>(
    `SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database,
       coalesce(current_schema(), 'public') AS schema,
       has_function_privilege('pg_control_system()', 'EXECUTE') AS may`,
  );
  const { may, ...place } = rows[0] as (typeof rows)[number];
  if (!may) return { ...place, server: undefined };
  const { rows: control } = await client.query<{ server: string }>(
    'SELECT system_identifier::text AS server FROM pg_control_system()',
  );
  return { ...place, server: control[0]?.server };
}

/**
 * The names of a deployment's queue. They follow from the database, so that all processes of a deployment have the same
 * and two deployments never do: on one Redis, in one database, or in two copies of one database.
 *
 * @param own where the deployment's tables are.
 * @param queue where its queue in Postgres is.
 * @param name DEPLOYMENT_NAME: tells physical copies of a server apart, which are the same place by all that they say.
 */
export function queueIdentity(own: DatabasePlace, queue: DatabasePlace, name = ''): QueueIdentity {
  const id = digest([own.server ?? '', own.database, own.schema, name]);
  return { redisPrefix: `{gridlens:${id}}`, schema: queueSchema(own, queue, id, name) };
}

/** In the deployment's own database the schema of its tables says whose queue it is; elsewhere only the identity does. */
function queueSchema(own: DatabasePlace, queue: DatabasePlace, id: string, name: string): string {
  const isOwnDatabase = own.server === queue.server && own.database === queue.database;
  if (!isOwnDatabase || name !== '') return `${QUEUE_SCHEMA}_${id}`;
  if (own.schema === 'public') return QUEUE_SCHEMA;
  return `${QUEUE_SCHEMA}_${PLAIN_NAME.test(own.schema) ? own.schema : id}`;
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  PostgresConnection,
  PostgresQueueBackend,
  runMigrations,
} from 'bullmq';
import { createDatabase, type Database, type Queryable, withClient } from '../db/db.js';
import { QUEUE_SCHEMA } from '../db/deploymentIdentity.js';
import type { Pooling } from '../db/pooling.js';
import { type BorrowedClient, type SharedConnection, shareConnection } from './sharedConnection.js';

/** A pool that BullMQ's instances of one process ask, and the connection of it that they share. */
export type QueueDatabase = Database & { readonly shared: SharedConnection; readonly schema: string };

/** What a process may take for its queue, and over what. */
export interface QueueDatabaseOptions {
  /** The one that is listened on included. */
  maxConnections?: number | undefined;
  pooling?: Pooling | undefined;
  /** BullMQ's own, a name that needs no quotes: the queue's tables never mix with the customer's. */
  schema?: string;
}

/** The one that is listened on, and one more for what is asked meanwhile. */
const MAX_CONNECTIONS = 2;

/**
 * The pool of BullMQ's Postgres backend. It is apart from the process's own pool, since its search_path is
 * BullMQ's schema and one of its connections is for LISTEN.
 *
 * It waits for a first answer: an instance whose first connect failed stays broken for ever, with no event
 * (docs/bullmq.md).
 */
export async function createQueueDatabase(
  connectionString: string,
  onIdleError: (error: Error) => void,
  { maxConnections = MAX_CONNECTIONS, pooling, schema = QUEUE_SCHEMA }: QueueDatabaseOptions = {},
): Promise<QueueDatabase> {
  const pool = createDatabase({
    connectionString,
    applicationName: 'gridlens-queue',
    maxConnections,
    // BullMQ's own long calls wait on LISTEN, not on a query. No bound in the server: all due jobs are promoted in one
    // statement, and after an outage that one must end.
    queryTimeoutMs: 10_000,
    options: `-c search_path=${schema}`,
    onIdleError,
    ...(pooling === undefined ? {} : { pooling }),
  });
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw error;
  }
  const shared = shareConnection(pool);
  const end = pool.end.bind(pool);
  return Object.assign(pool, {
    shared,
    schema,
    end: async () => {
      shared.close();
      await end();
    },
  }) as QueueDatabase;
}

/** BullMQ asks its default schema for its version whenever it gets a pool, whatever the pool's search_path is. */
class ConnectionInSchema extends PostgresConnection {
  constructor(
    pool: PgPool,
    override readonly schema: string,
  ) {
    super(pool);
  }
}

/** What BullMQ's instances over a pool are made with when its tables are in this schema. */
export function backendIn(schema: string): typeof createPostgresBackend {
  return (name, options, { withBlockingConnection = false } = {}) => {
    const connection = new ConnectionInSchema(options.connection as PgPool, schema);
    return new PostgresQueueBackend(
      connection,
      name,
      options,
      true,
      withBlockingConnection ? name : undefined,
    );
  };
}

const RECONNECT_MS = 500;

/**
 * The pool in the form that BullMQ gets. A request for a connection waits however long Postgres takes, since an instance
 * that was refused its first connection would never ask again. BullMQ borrows connections only to look at its schema and
 * to LISTEN, and all of its instances share one. Its commands go through `query`, which still fails within its timeout.
 *
 * @param isOver whether nobody needs a connection any more; the next failure is then passed on.
 */
export function patientPool(pool: QueueDatabase, isOver: () => boolean): PgPool {
  const connect = async (): Promise<BorrowedClient> => {
    for (;;) {
      try {
        return await pool.shared.borrow();
      } catch (error) {
        if (pool.ending || isOver()) throw error;
        await sleep(RECONNECT_MS);
      }
    }
  };
  const query = (...statement: Parameters<SharedConnection['query']>): Promise<unknown> => {
    const isBusy = pool.idleCount === 0 && pool.totalCount >= pool.options.max;
    return isBusy
      ? pool.shared.query(...statement)
      : (pool.query as SharedConnection['query']).apply(pool, statement);
  };
  const patient = new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return connect;
      if (name === 'query') return query;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  // pg types its listeners by event, BullMQ by signature; it is a pg.Pool that BullMQ wants.
  return patient as unknown as PgPool;
}

/**
 * Whether BullMQ's schema is there and current. BullMQ is not asked: its own check needs the right to create schemas and
 * the owner of its tables, even if it then does nothing.
 */
export async function isQueueMade(client: Queryable, schema: string): Promise<boolean> {
  const { rows: ledgers } = await client.query<{ ledger: string | null }>(
    `SELECT to_regclass('${schema}.migration') AS ledger`,
  );
  if (ledgers[0]?.ledger === null) return false;
  const { rows } = await client.query<{ version: number }>(
    `SELECT max(version) AS version FROM ${schema}.migration`,
  );
  return rows[0]?.version === LATEST_SCHEMA_VERSION;
}

/** Makes or updates BullMQ's schema; safe from many processes at once. */
export async function makeQueue(
  { url, ...options }: QueueDatabaseOptions & { url: string; schema: string },
  onIdleError: (error: Error) => void,
): Promise<void> {
  const database = await createQueueDatabase(url, onIdleError, options);
  try {
    await withClient(database, (client) => runMigrations(client, options.schema));
  } finally {
    await database.end();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { LATEST_SCHEMA_VERSION, type PgPool, runMigrations } from 'bullmq';
import type pg from 'pg';
import { createDatabase, type Database, withClient } from '../db/db.js';

/** BullMQ's own schema; the queue's tables never mix with the customer's. */
const SCHEMA = 'bullmq';

/**
 * The pool of BullMQ's Postgres backend. It is apart from the process's own pool, since its search_path is
 * BullMQ's schema and each worker pins one of its connections for LISTEN.
 *
 * It waits for a first answer: an instance whose first connect failed stays broken for ever, with no event
 * (docs/bullmq.md).
 */
export async function createQueueDatabase(
  connectionString: string,
  onIdleError: (error: Error) => void,
): Promise<Database> {
  const pool = createDatabase({
    connectionString,
    applicationName: 'gridlens-queue',
    maxConnections: 12,
    // BullMQ's own long calls wait on LISTEN, not on a query.
    queryTimeoutMs: 10_000,
    options: `-c search_path=${SCHEMA}`,
    onIdleError,
  });
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw error;
  }
  return pool;
}

const RECONNECT_MS = 500;

/**
 * The pool in the form that BullMQ gets. A request for a connection waits however long Postgres takes, since an instance
 * that was refused its first connection would never ask again. BullMQ borrows connections only to look at its schema and
 * to LISTEN. Its commands go through `query`, which still fails within its timeout.
 *
 * @param isOver whether nobody needs a connection any more; the next failure is then passed on.
 */
export function patientPool(pool: Database, isOver: () => boolean): PgPool {
  const connect = async (): Promise<pg.PoolClient> => {
    for (;;) {
      try {
        return await pool.connect();
      } catch (error) {
        if (pool.ending || isOver()) throw error;
        await sleep(RECONNECT_MS);
      }
    }
  };
  const patient = new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return connect;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  // pg types its listeners by event, BullMQ by signature; it is a pg.Pool that BullMQ wants.
  return patient as unknown as PgPool;
}

/**
 * Makes or updates BullMQ's schema; safe from many processes at once. BullMQ is not asked when the schema is current: its
 * own check needs the right to create schemas and the owner of its tables, even if it then does nothing.
 */
export async function migrateQueue(database: Database): Promise<void> {
  const { rows: ledgers } = await database.query(`SELECT to_regclass('${SCHEMA}.migration') AS ledger`);
  if (ledgers[0].ledger !== null) {
    const { rows } = await database.query(`SELECT max(version) AS version FROM ${SCHEMA}.migration`);
    if (rows[0].version === LATEST_SCHEMA_VERSION) return;
  }
  await withClient(database, (client) => runMigrations(client, SCHEMA));
}

import { runMigrations } from 'bullmq';
import { createDatabase, type Database, withClient } from '../db.js';

/** BullMQ's own schema; the queue's tables never mix with the customer's. */
const SCHEMA = 'bullmq';

/**
 * The pool of BullMQ's Postgres backend. It is apart from the process's own pool, since its search_path is
 * BullMQ's schema and each worker pins one of its connections for LISTEN.
 *
 * It waits for a first answer: an instance whose first connect failed stays broken for ever, with no event
 * (measured, bullmq.md).
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

/** Makes or updates BullMQ's schema; a no-op when it is current, safe from many processes at once. */
export async function migrateQueue(database: Database): Promise<void> {
  await withClient(database, (client) => runMigrations(client, SCHEMA));
}

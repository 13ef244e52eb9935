import { LATEST_SCHEMA_VERSION, runMigrations } from 'bullmq';
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

/**
 * Makes or updates BullMQ's schema; safe from many processes at once. When it is current nothing is asked of BullMQ,
 * whose own look needs the right to create schemas, and its tables' owner, although it then does nothing.
 */
export async function migrateQueue(database: Database): Promise<void> {
  const { rows: ledgers } = await database.query(`SELECT to_regclass('${SCHEMA}.migration') AS ledger`);
  if (ledgers[0].ledger !== null) {
    const { rows } = await database.query(`SELECT max(version) AS version FROM ${SCHEMA}.migration`);
    if (rows[0].version === LATEST_SCHEMA_VERSION) return;
  }
  await withClient(database, (client) => runMigrations(client, SCHEMA));
}

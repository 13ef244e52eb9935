import type pg from 'pg';
import { type Database, withTransaction } from '../db/db.js';

/**
 * Runs `work` in a transaction that nobody shares who changes the same tenant's automatic mode: its configuration and
 * its scheduler change as one. BullMQ's own upsert races between processes; under this lock it makes exactly one.
 *
 * It waits no longer than an answer may take, and a process that freezes in it loses it after 5 s.
 */
export async function withTenantLock<T>(
  database: Database,
  tenantId: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return withTransaction(database, async (client) => {
    await client.query(
      `SELECT set_config('lock_timeout', '1400ms', true), set_config('idle_in_transaction_session_timeout', '5s', true)`,
    );
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('gridlens:auto:' || $1, 0))`, [
      tenantId,
    ]);
    return work(client);
  });
}

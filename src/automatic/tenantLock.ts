import type pg from 'pg';
import { type Database, withTransaction } from '../db/db.js';
import { boundWaits, requestWaits, takeLock } from '../db/locks.js';

/**
 * Runs `work` in a transaction, under the lock of the tenant's automatic mode: its configuration and its scheduler
 * change as one. BullMQ's upsert of a scheduler races between processes; under this lock it makes exactly one.
 */
export async function withTenantLock<T>(
  database: Database,
  tenantId: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return withTransaction(database, async (client) => {
    await boundWaits(client, requestWaits());
    await takeLock(client, 'auto', tenantId);
    return work(client);
  });
}

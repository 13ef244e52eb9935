import type pg from 'pg';
import { type Database, withTransaction } from '../db/db.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { enabledTenants } from './autoConfig.js';

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

/**
 * Makes the schedulers what the configuration says, after whatever became of them: a Redis that lost its data deletes
 * them without a sound. In the common case it only looks.
 *
 * @returns how many were made or mended, and how many removed.
 * @throws the first failure, after all tenants had their turn.
 */
export async function syncSchedulers(
  database: Database,
  ticks: TickQueue,
  now: Date,
): Promise<{ made: number; removed: number }> {
  const existing = await ticks.tenants();
  const wanted = await enabledTenants(database);
  const enabled = new Set(wanted.map(({ tenantId }) => tenantId));
  const done = { made: 0, removed: 0 };
  const failures: unknown[] = [];
  const settle = async (tenantId: string): Promise<void> =>
    withTenantLock(database, tenantId, async (client) => {
      // Read again: it may have been started or stopped since, and whoever did that has done the rest.
      const scheduler = (await enabledTenants(client)).find((tenant) => tenant.tenantId === tenantId);
      if (scheduler === undefined) {
        await ticks.remove(tenantId);
        done.removed += 1;
      } else if ((await ticks.ensure(scheduler, now)) !== 'kept') done.made += 1;
    });
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const scheduler of wanted) {
    await attempt(async () => {
      if ((await ticks.inspect(scheduler, now)) !== 'kept') await settle(scheduler.tenantId);
    });
  }
  for (const tenantId of existing) {
    if (!enabled.has(tenantId)) await attempt(() => settle(tenantId));
  }
  if (failures.length > 0) throw failures[0];
  return done;
}

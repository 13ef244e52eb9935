import type { Database } from '../db/db.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { enabledTenants } from './autoConfig.js';
import { withTenantLock } from './tenantLock.js';

/**
 * Brings the schedulers in line with the configuration: a Redis that lost its data has lost them without a sound.
 * Usually there is nothing to do, and this only looks.
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
      // Read again under the lock: whoever has started or stopped the tenant meanwhile has done the rest.
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

import { type Database, rethrowUnavailable } from '../db/db.js';
import { findAutoConfig } from './autoConfig.js';
import { replayInstant } from './replayClock.js';

/** The time for a tenant: what the replay's clock shows during a replay, else the wall clock's. */
export type TenantClock = (tenantId: string) => Promise<Date>;

/** Whether the clock of tenant `$1` shows another time than the wall's. */
export const IS_REPLAYING = `EXISTS (SELECT FROM ami_auto WHERE tenant_id = $1 AND replay_from IS NOT NULL)`;

/**
 * During a replay a tenant's events begin, run and end by the replay's clock. An event that is posted without a
 * `startAt` then shows in the intervals that are published next, as it does in life.
 */
export function createTenantClock(database: Database, now: () => Date): TenantClock {
  return async (tenantId) => {
    const config = await findAutoConfig(database, tenantId).catch(rethrowUnavailable);
    const at = now();
    return config?.replay ? replayInstant(config.replay, at) : at;
  };
}

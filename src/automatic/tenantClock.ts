import { type Database, rethrowUnavailable } from '../db/db.js';
import { findAutoConfig } from './autoConfig.js';
import { replayInstant } from './replayClock.js';

/** What time it is for a tenant: while it is replayed, what the replay's clock shows. */
export type TenantClock = (tenantId: string) => Promise<Date>;

/**
 * Events of a tenant that is replayed begin, run and end by its own clock: one that is posted without a `startAt` shows
 * in the intervals that are published next, as it does in life.
 */
export function createTenantClock(database: Database, now: () => Date): TenantClock {
  return async (tenantId) => {
    const config = await findAutoConfig(database, tenantId).catch(rethrowUnavailable);
    const at = now();
    return config?.replay ? replayInstant(config.replay, at) : at;
  };
}

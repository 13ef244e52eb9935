import { earliestOf, getAlignedIntervalTimestamp, intervalEnd, keptSince } from '../contracts/intervals.js';
import { MAX_CATCH_UP_INTERVALS } from '../contracts/limits.js';
import type { AutoConfig } from './autoConfig.js';
import type { TenantWindow } from './owedIntervals.js';

/**
 * The intervals that catch-up looks at, the running one included. An interval once found missing stays owed until it is
 * 96 intervals old: with 9 % of the pace free, making up 47 minutes takes eight hours.
 *
 * @param retentionDays days of reads that are kept: what would be dropped at once is not made whole.
 */
export function windowOf(config: AutoConfig, at: Date, retentionDays?: number): TenantWindow {
  const { tenantId, intervalMinutes, catchUpIntervals, meterCount } = config;
  const running = runningOf(config, at);
  const kept = keptSince(running, retentionDays);
  const since = (count: number): Date => {
    const earliest = earliestOf(count, running, intervalMinutes);
    // An interval as old as the retention would be dropped before the running one is over.
    return kept !== undefined && earliest <= kept ? intervalEnd(kept, intervalMinutes) : earliest;
  };
  return {
    tenantId,
    intervalMinutes,
    earliest: since(MAX_CATCH_UP_INTERVALS),
    first: since(Math.min(catchUpIntervals, MAX_CATCH_UP_INTERVALS)),
    running,
    meterCount: config.fleet === 'registry' ? null : meterCount,
  };
}

export function runningOf({ intervalMinutes }: AutoConfig, at: Date): Date {
  return getAlignedIntervalTimestamp(intervalMinutes, at);
}

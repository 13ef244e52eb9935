import { earliestOf, getAlignedIntervalTimestamp, MS_PER_DAY } from '../contracts/intervals.js';
import { MAX_CATCH_UP_INTERVALS } from '../contracts/limits.js';
import type { AutoConfig } from './autoConfig.js';
import type { TenantWindow } from './owedIntervals.js';

/**
 * The intervals that catch-up looks at, the running one included. What it has found missing of them stays owed for as
 * long as it might look back at all: a deployment that has 9 % of its pace to spare needs eight hours for 47 minutes.
 *
 * @param retentionDays days of reads that are kept: what would be dropped at once is not made whole.
 */
export function windowOf(config: AutoConfig, at: Date, retentionDays?: number): TenantWindow {
  const { tenantId, intervalMinutes, catchUpIntervals, meterCount } = config;
  const running = runningOf(config, at);
  const kept =
    retentionDays === undefined
      ? MAX_CATCH_UP_INTERVALS
      : Math.min(MAX_CATCH_UP_INTERVALS, (retentionDays * MS_PER_DAY) / (intervalMinutes * 60_000));
  return {
    tenantId,
    intervalMinutes,
    earliest: earliestOf(kept, running, intervalMinutes),
    first: earliestOf(Math.min(catchUpIntervals, kept), running, intervalMinutes),
    running,
    meterCount: config.fleet === 'registry' ? null : meterCount,
  };
}

export function runningOf({ intervalMinutes }: AutoConfig, at: Date): Date {
  return getAlignedIntervalTimestamp(intervalMinutes, at);
}

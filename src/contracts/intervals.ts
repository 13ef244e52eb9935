import type { IntervalMinutes } from './limits.js';

export const MS_PER_MINUTE = 60_000;

/**
 * The latest interval boundary at or before `now`, in UTC: :00, :15, :30, :45 for 15 minutes, the full hour
 * for 60. A read stamped with it covers `[boundary, boundary + intervalMinutes)` (D5).
 *
 * The epoch lies on a boundary and UTC has no leap seconds in Unix time, so a floor by the interval is exact.
 */
export function getAlignedIntervalTimestamp(intervalMinutes: IntervalMinutes, now: Date): Date {
  const step = intervalMinutes * MS_PER_MINUTE;
  return new Date(Math.floor(now.getTime() / step) * step);
}

/** Whether `readAt` lies exactly on a boundary of `intervalMinutes`. */
export function isAligned(readAt: Date, intervalMinutes: IntervalMinutes): boolean {
  return readAt.getTime() % (intervalMinutes * MS_PER_MINUTE) === 0;
}

/** The end of the interval that starts at `readAt` (exclusive). */
export function intervalEnd(readAt: Date, intervalMinutes: IntervalMinutes): Date {
  return new Date(readAt.getTime() + intervalMinutes * MS_PER_MINUTE);
}

/** The earliest of the last `count` intervals, the one that begins at `running` included. */
export function earliestOf(count: number, running: Date, intervalMinutes: IntervalMinutes): Date {
  return new Date(running.getTime() - (count - 1) * intervalMinutes * MS_PER_MINUTE);
}

export const MS_PER_DAY = 86_400_000;

/**
 * The instant before which reads are not kept at `now`; undefined keeps all. Whole days of 24 hours, as partitions are
 * dropped.
 */
export function keptSince(now: Date, retentionDays: number): Date;
export function keptSince(now: Date, retentionDays: number | undefined): Date | undefined;
export function keptSince(now: Date, retentionDays: number | undefined): Date | undefined {
  return retentionDays === undefined ? undefined : new Date(now.getTime() - retentionDays * MS_PER_DAY);
}

import { DAY, MINUTE } from './rules/meterSpan.js';

/** A tenant whose intervals are validated as they come. */
export interface WatchedTenant {
  tenantId: string;
  estimates: boolean;
  graceIntervals: number;
  validatedTo: Date | null;
  /** The latest interval that is not being written; null of a tenant without any. */
  latest: Date | null;
  minutes: number;
  /** Whether all reads of it have come that were expected. */
  isComplete: boolean;
}

/** What is to be validated of a tenant now, a day at most; undefined where there is nothing. */
export function dueSpan(
  { latest, minutes, isComplete, graceIntervals, validatedTo }: Omit<WatchedTenant, 'tenantId' | 'estimates'>,
  now: Date,
): { from: Date; to: Date } | undefined {
  if (latest === null) return undefined;
  const end = latest.getTime() + minutes * MINUTE;
  const quarter = 15 * MINUTE;
  const late = Math.floor((now.getTime() - graceIntervals * quarter) / quarter) * quarter;
  const to = isComplete ? end : Math.min(end, late);
  // Whoever has just switched it on begins with the latest interval.
  const from = Math.max(validatedTo?.getTime() ?? latest.getTime(), to - DAY);
  return from < to ? { from: new Date(from), to: new Date(to) } : undefined;
}

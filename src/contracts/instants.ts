import { invalidField } from './errors.js';
import { isAligned, keptSince } from './intervals.js';
import type { IntervalMinutes } from './limits.js';

/**
 * What one field alone cannot tell about an instant. Each check takes the path of the field, with which the sentence of
 * its ApiError 400 begins.
 */

/** Reads older than this are taken for a typing error: no smart meter's interval data is as old. */
const EARLIEST_READ_AT = new Date('2000-01-01T00:00:00Z');

/** @throws ApiError 400 when `at` is not on a boundary. */
export function requireAligned(path: string, at: Date, interval: IntervalMinutes): void {
  if (isAligned(at, interval)) return;
  throw invalidField(
    path,
    `must lie on a ${interval}-minute boundary in UTC, for example "2026-01-31T10:00:00Z"`,
  );
}

/** @throws ApiError 400 when `at` lies before 2000. */
export function requireThisCentury(path: string, at: Date): void {
  if (at < EARLIEST_READ_AT) throw invalidField(path, 'must not lie before the year 2000');
}

/**
 * @param retentionDays days of reads that are kept; undefined keeps all.
 * @throws ApiError 400 when reads of `at` would be dropped at once.
 */
export function requireKept(path: string, at: Date, now: Date, retentionDays: number | undefined): void {
  const kept = keptSince(now, retentionDays);
  if (kept === undefined || at >= kept) return;
  throw invalidField(
    path,
    `must not lie further back than the ${retentionDays} days of reads that are kept (READS_RETENTION_DAYS)`,
  );
}

/**
 * Requires that the interval that begins at `at` can be published.
 *
 * @param retentionDays days of reads that are kept; undefined keeps all.
 * @throws ApiError 400 when it is not on a boundary, in the future, before 2000, or would be dropped at once.
 */
export function requirePublishable(
  path: string,
  at: Date,
  interval: IntervalMinutes,
  now: Date,
  retentionDays: number | undefined,
): void {
  requireAligned(path, at, interval);
  if (at > now) throw invalidField(path, 'must not lie in the future');
  requireThisCentury(path, at);
  requireKept(path, at, now, retentionDays);
}

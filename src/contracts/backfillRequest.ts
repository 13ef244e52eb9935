import { z } from 'zod';
import { emulationFields } from './emulation.js';
import { invalidField } from './errors.js';
import { boundary, positiveInteger, tenantId } from './fields.js';
import { requireAligned, requireKept, requireThisCentury } from './instants.js';
import { MS_PER_DAY } from './intervals.js';
import type { IntervalMinutes } from './limits.js';
import { timeZone } from './place.js';
import { publishOnceRequest } from './publishRequest.js';

const { intervalMinutes, fleet, seed } = publishOnceRequest.shape;

/**
 * Body of `POST /backfill`; unknown fields are refused, since a misspelt one would be ignored. What is not given is taken
 * from the tenant's automatic mode.
 */
export const backfillRequest = z.strictObject({
  tenantId,
  from: boundary.describe('The start of the first interval, on a boundary.'),
  to: boundary.optional().describe('The end of the last one. Left out: the start of the running interval.'),
  meterCount: positiveInteger.optional(),
  feederCount: positiveInteger.optional(),
  batchSize: positiveInteger.optional(),
  intervalMinutes: intervalMinutes.unwrap().optional(),
  fleet: fleet.unwrap().optional(),
  seed,
  timeZone: timeZone.optional(),
  ...emulationFields,
});
export type BackfillRequest = z.infer<typeof backfillRequest>;

/** Parameters in the path of the routes of one backfill. */
export const backfillParameters = z.object({
  backfillId: z.uuid('must be the backfillId that a backfill answered with (a UUID)'),
});

/** Days one backfill may span: a year, leap years too. */
export const MAX_BACKFILL_DAYS = 366;

/** The first interval of a backfill, and the one before which it ends. */
export interface BackfillSpan {
  from: Date;
  to: Date;
}

/**
 * Checks what one field alone cannot tell about the span.
 *
 * @param boundary the latest one there is.
 * @param retentionDays days of reads that are kept; undefined keeps all.
 * @throws ApiError 400 when it is not on boundaries, empty, too long, in the future, before 2000, or would be dropped.
 */
export function requireBackfillSpan(
  { from, to }: BackfillSpan,
  interval: IntervalMinutes,
  boundary: Date,
  now: Date,
  retentionDays?: number,
): void {
  // First the end: a span that is asked for in days begins where it says.
  requireAligned('to', to, interval);
  requireAligned('from', from, interval);
  const latest = boundary.toISOString();
  if (to > boundary) throw invalidField('to', `must not lie in the future: at most ${latest}`);
  if (from >= to) throw invalidField('from', `must lie before to, which is ${to.toISOString()}`);
  requireThisCentury('from', from);
  if (to.getTime() - from.getTime() > MAX_BACKFILL_DAYS * MS_PER_DAY) {
    const earliest = new Date(to.getTime() - MAX_BACKFILL_DAYS * MS_PER_DAY).toISOString();
    throw invalidField('from', `must lie within ${MAX_BACKFILL_DAYS} days before to: ${earliest} or later`);
  }
  requireKept('from', from, now, retentionDays);
}

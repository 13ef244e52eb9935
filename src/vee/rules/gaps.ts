import { DAY, endOf, type Found, HOUR, type MeterSpan, MINUTE, type Part } from './meterSpan.js';

/** A meter without a read for longer is expected no more: completeness looks as far back. */
const EXPECTED_DAYS = 7;

/** A time without reads, between two boundaries of the meter's intervals. */
export interface Gap {
  from: number;
  /** Exclusive. */
  to: number;
  /** Length of the meter's intervals. */
  minutes: number;
}

/**
 * Intervals of the part that were expected of the meter and have no read. An interval is expected of a meter that had a
 * read in the week before, where the tenant has that interval at all, or where the meter itself had the same one the day
 * or the week before.
 */
export function gapsOf(meter: MeterSpan, { from, to, tenantHas }: Part): Gap[] {
  const { past } = meter;
  const last = meter.reads.at(-1) ?? past.last;
  if (last === undefined || last.at < from - EXPECTED_DAYS * DAY) return [];
  const step = last.minutes * MINUTE;
  const gaps: Gap[] = [];
  let next = 0;
  let coveredTo = Number.NEGATIVE_INFINITY;
  for (let at = Math.ceil(from / step) * step; at + step <= to; at += step) {
    while (next < meter.reads.length && (meter.reads[next] as MeterSpan['reads'][number]).at < at + step) {
      coveredTo = Math.max(coveredTo, endOf(meter.reads[next] as MeterSpan['reads'][number]));
      next += 1;
    }
    if (coveredTo > at) continue;
    const isExpected = tenantHas.has(at) || past.has(at - DAY) || past.has(at - 7 * DAY);
    if (!isExpected) continue;
    const open = gaps.at(-1);
    if (open?.to === at) open.to = at + step;
    else gaps.push({ from: at, to: at + step, minutes: last.minutes });
  }
  return gaps;
}

/** `missing`: gaps that are longer than the limit, in hours. */
export function missing(gaps: readonly Gap[], limit: number): Found[] {
  return gaps
    .map(({ from, to }) => ({ from, to, value: (to - from) / HOUR }))
    .filter(({ value }) => value > limit)
    .map((gap) => ({ rule: 'missing' as const, ...gap, limit, reads: [] }));
}

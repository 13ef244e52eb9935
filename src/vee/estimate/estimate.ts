import type { LocalZone } from '../../intervalFiles/time/localZone.js';
import { kindOfDay } from '../rules/dayKind.js';
import { DAY, endOf, HOUR, MINUTE, type SpanRead } from '../rules/meterSpan.js';
import type { Past } from '../rules/past.js';
import { type Hole, isMeasured } from './holes.js';

/** An estimate of one interval. */
export interface Estimate {
  at: number;
  minutes: number;
  /** kWh per interval, with as many digits behind the point as the meter's reads have. */
  kwh: string;
  method: 'linear' | 'like-day';
}

/** Longer holes are not interpolated; docs/vee.md has the sources. */
const LINEAR_HOURS = 2;
/** Days that are looked at for like days, and how many of them count. */
export const LIKE_DAYS = 28;
const MOST_LIKE_DAYS = 4;
/** What a meter measured so long before and behind a hole scales its like days. */
export const SCALE_HOURS = 3;
const FEWEST_TO_SCALE = 4;
const SCALE = { least: 0.5, most: 2 };
const MOST_DIGITS = 6;

/** What a meter is estimated by. */
export interface KnownReads {
  /** Around the hole. */
  reads: readonly SpanRead[];
  /** Measured reads of the four weeks before. */
  past: Past;
  zone: LocalZone;
}

/**
 * Estimates a hole: by a line between the power before and behind it where it is two hours at most and both were measured,
 * else by like days. An interval of which no like day has a read is left out.
 */
export function estimateHole(hole: Hole, known: KnownReads): Estimate[] {
  const { from, to, left, right } = hole;
  const isLinear = to - from <= LINEAR_HOURS * HOUR && left !== undefined && right !== undefined;
  return isLinear ? linear(hole, left, right) : likeDays(hole, known);
}

/** Average power goes in a line from the interval before to the one behind, from middle to middle. */
function linear({ from, to, minutes }: Hole, left: SpanRead, right: SpanRead): Estimate[] {
  const step = minutes * MINUTE;
  const count = (to - from) / step;
  const digits = Math.max(digitsOf(left.kwh), digitsOf(right.kwh));
  return Array.from({ length: count }, (_, index) => ({
    at: from + index * step,
    minutes,
    // The intervals are of one length, so energy goes as power does.
    kwh: (left.kwh + ((right.kwh - left.kwh) * (index + 1)) / (count + 1)).toFixed(digits),
    method: 'linear' as const,
  }));
}

/** Like days are the latest four of the same kind, workday, Saturday or Sunday, that have a read at the same local time. */
function likeDays({ from, to, minutes }: Hole, { reads, past, zone }: KnownReads): Estimate[] {
  const step = minutes * MINUTE;
  const like = (at: number): number | undefined => likeAt(at, minutes, past, zone);
  const scale = scaleOf(
    reads.filter(
      (read) =>
        isMeasured(read) &&
        read.minutes === minutes &&
        ((read.at >= from - SCALE_HOURS * HOUR && endOf(read) <= from) ||
          (read.at >= to && endOf(read) <= to + SCALE_HOURS * HOUR)),
    ),
    like,
  );
  const digits = Math.max(0, ...past.latestKwh(MOST_LIKE_DAYS * 24).map(digitsOf));
  const estimates: Estimate[] = [];
  for (let at = from; at < to; at += step) {
    const usual = like(at);
    if (usual !== undefined)
      estimates.push({ at, minutes, kwh: (usual * scale).toFixed(digits), method: 'like-day' });
  }
  return estimates;
}

function likeAt(at: number, minutes: number, past: Past, zone: LocalZone): number | undefined {
  const local = zone.localOf(at);
  const kind = kindOfDay(local);
  const values: number[] = [];
  for (let day = 1; day <= LIKE_DAYS && values.length < MOST_LIKE_DAYS; day += 1) {
    if (kindOfDay(local - day * DAY) !== kind) continue;
    // A time that the clock skipped on that day has no read; of one that it showed twice the first counts.
    const [instant] = zone.instantsOf(local - day * DAY);
    const kwh = instant === undefined ? undefined : past.kwhAt(instant, minutes);
    if (kwh !== undefined) values.push(kwh);
  }
  return values.length === 0 ? undefined : values.reduce((sum, kwh) => sum + kwh, 0) / values.length;
}

/** What was measured around the hole, as a part of what the like days had then; 1 where there is too little to say. */
function scaleOf(around: readonly SpanRead[], like: (at: number) => number | undefined): number {
  let [measured, usual, count] = [0, 0, 0];
  for (const { at, kwh } of around) {
    const expected = like(at);
    if (expected === undefined) continue;
    measured += kwh;
    usual += expected;
    count += 1;
  }
  if (count < FEWEST_TO_SCALE || usual <= 0) return 1;
  return Math.min(SCALE.most, Math.max(SCALE.least, measured / usual));
}

/** Digits behind the point, six at most. */
function digitsOf(kwh: number): number {
  const [, fraction = ''] = kwh.toFixed(MOST_DIGITS).replace(/0+$/, '').split('.');
  return fraction.length;
}

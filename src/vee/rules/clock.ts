import { kindOfDay } from './dayKind.js';
import { DAY, endOf, type Found, type MeterSpan, MINUTE, type Part, type SpanRead } from './meterSpan.js';
import { PAST_DAYS } from './past.js';

/** `clock-shift`: reads that begin further from a boundary of their interval than the limit, in minutes. */
export function offBoundary({ reads }: MeterSpan, limit: number): Found[] {
  return reads.flatMap((read) => {
    const step = read.minutes * MINUTE;
    const after = ((read.at % step) + step) % step;
    const value = Math.min(after, step - after) / MINUTE;
    return value > limit
      ? [{ rule: 'clock-shift' as const, from: read.at, to: endOf(read), value, limit, reads: [read.at] }]
      : [];
  });
}

/**
 * How far a day is moved to look whether it fits better. It is moved a step further as well: a day that fits best there goes on to fit
 * better and better, as another kind of day does, and was not moved.
 */
const FURTHEST_MINUTES = 180;
/** How well a day must fit when it is moved, and how much worse it must as it stands: correlations. */
const FITS = 0.8;
const FITS_BETTER = 0.2;
/** Of a day's intervals this many must be there. */
const MOST_OF_A_DAY = 0.9;

/**
 * `clock-shift`: a whole day that goes as the meter's days usually go, only earlier or later by more than the limit, in
 * minutes. A clock was set wrong, or a file's zone was.
 */
export function shiftedDay(meter: MeterSpan, { from, to }: Part, limit: number): Found[] {
  const minutes = meter.reads[0]?.minutes;
  if (to - from < DAY || minutes === undefined) return [];
  const step = minutes * MINUTE;
  const slots = (to - from) / step;
  const day = new Map(meter.reads.map((read) => [read.at, read.kwh]));
  const usual = usualDay(meter, from, to, step);
  if (day.size < MOST_OF_A_DAY * slots || usual.size < MOST_OF_A_DAY * slots) return [];
  const fitAt = (shift: number): number => {
    const pairs: [number, number][] = [];
    for (const [at, kwh] of day) {
      const expected = usual.get(at - shift);
      if (expected !== undefined) pairs.push([kwh, expected]);
    }
    return correlation(pairs);
  };
  const asItStands = fitAt(0);
  let [best, shift] = [asItStands, 0];
  for (let steps = 1; steps * minutes <= FURTHEST_MINUTES + minutes; steps += 1)
    for (const tried of [-steps * step, steps * step]) {
      const fit = fitAt(tried);
      if (fit > best) [best, shift] = [fit, tried];
    }
  const value = shift / MINUTE;
  if (Math.abs(value) > FURTHEST_MINUTES) return [];
  if (Math.abs(value) <= limit || best < FITS || best - asItStands < FITS_BETTER) return [];
  const starts = meter.reads.map(({ at }: SpanRead) => at);
  return [{ rule: 'clock-shift', from, to, value, limit, reads: starts }];
}

/** The mean of the past days of its kind, by the instants of this one: a shop's Sunday is not its weekday, only earlier. */
function usualDay({ reads, past }: MeterSpan, from: number, to: number, step: number): Map<number, number> {
  const minutes = reads[0]?.minutes;
  const isWorkday = (day: number): boolean => kindOfDay(from - day * DAY) === 'workday';
  const likeDays = Array.from({ length: PAST_DAYS }, (_, before) => before + 1).filter(
    (day) => isWorkday(day) === isWorkday(0),
  );
  const usual = new Map<number, number>();
  for (let at = from; at < to; at += step) {
    let [sum, count] = [0, 0];
    for (const day of likeDays) {
      const kwh = past.kwhAt(at - day * DAY, minutes);
      if (kwh === undefined) continue;
      sum += kwh;
      count += 1;
    }
    if (count > 0) usual.set(at, sum / count);
  }
  return usual;
}

/** Pearson's; 0 where one side does not vary. */
function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[of], 0) / pairs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

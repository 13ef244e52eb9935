import type { IntervalMinutes } from '../../contracts/limits.js';
import { localQuarter, QUARTER_HOUR_MS } from '../customers/localTime.js';

/** The intervals of one day by a local clock: 96 quarter hours, 92 or 100 where the clock is put forward or back. */
export interface LocalDay {
  /** Quarter hours since 1970 at which the intervals begin. */
  slots: readonly number[];
  /** Where in `slots` the interval asked for stands. */
  index: number;
}

/** A new day shows on the clock as a jump back by more than this many quarter hours; a repeated hour is shorter. */
const HALF_DAY = 48;

/**
 * The local day that an interval begins in.
 *
 * @param slot start of the interval, quarter hours since 1970.
 * @throws RangeError when `timeZone` is no zone of the IANA database.
 */
export function localDay(timeZone: string, slot: number, intervalMinutes: IntervalMinutes): LocalDay {
  const begins = (at: number): boolean =>
    localQuarter(timeZone, at - 1).quarterOfDay - localQuarter(timeZone, at).quarterOfDay > HALF_DAY;
  let first = slot;
  while (!begins(first)) first -= 1;
  let end = slot + 1;
  while (!begins(end)) end += 1;
  const step = intervalMinutes / 15;
  // An hour may begin beside the local midnight, in zones of half hours: it is of the day in which it begins.
  const from = Math.ceil(first / step) * step;
  const slots = Array.from({ length: Math.ceil((end - from) / step) }, (_, index) => from + index * step);
  return { slots, index: (slot - from) / step };
}

/** The slot of an instant. */
export function slotOf(instant: Date): number {
  return instant.getTime() / QUARTER_HOUR_MS;
}

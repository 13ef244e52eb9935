import { pick } from '../chance/quantiles.js';
import { drawAt } from '../chance/random.js';
import { DER_STREAM } from './derStreams.js';
import type { Car } from './equipment.js';
import { measuredQuantiles, quartersByWeight } from './quantileTable.js';

/**
 * A car that charges at home, as sessions of Norwegian homes were measured: how much energy, when plugged in, how often. It
 * charges at full power from when it is plugged in until it is full; none of it goes with the season.
 */

/** Energy of a session, kWh: 1.7, 5.2, 9.0, 16.4 and 36.3 at p5, p25, p50, p75 and p95. */
const ENERGY = measuredQuantiles([
  [0, 0.6],
  [0.05, 1.7],
  [0.25, 5.2],
  [0.5, 9],
  [0.75, 16.4],
  [0.95, 36.3],
  [1, 58],
]);
/** Hours at which cars are plugged in: on weekdays most at 16 h, and 70 % from 14 to 22 h. */
const WEEKDAY = quartersByWeight([
  1.2, 0.6, 0.4, 0.3, 0.3, 0.5, 1, 2.2, 3, 2.6, 2.6, 2.8, 3, 3.5, 7.5, 10.5, 13, 11, 9, 7.5, 6.5, 5.5, 3.8,
  2.2,
]);
const WEEKEND = quartersByWeight([
  1.6, 0.9, 0.6, 0.4, 0.3, 0.3, 0.5, 1, 2, 3.2, 4.4, 5.4, 6.2, 6.6, 7.4, 8.2, 8.8, 8.6, 8, 7, 6.2, 5.4, 4.2,
  2.8,
]);

/** A day on which cars may be plugged in. */
export interface ChargingDay {
  /** Days since 1970 by the local clock. */
  day: number;
  /** The UTC quarter hour at which it begins. */
  start: number;
  isWeekend: boolean;
}

/**
 * Energy that a car takes in a quarter hour, kWh.
 *
 * @param days the slot's own day and the one before: a session lasts for 19 hours at most.
 */
export function chargedKwh(car: Car, slot: number, days: readonly ChargingDay[]): number {
  const { key } = car;
  let most = 0;
  for (const { day, start, isWeekend } of days) {
    if (drawAt(key, DER_STREAM.sessionHappens, day) >= car.sessions * 2 ** 32) continue;
    const plugged = start + pick(isWeekend ? WEEKEND : WEEKDAY, drawAt(key, DER_STREAM.sessionStart, day));
    const since = slot + 1 - plugged;
    if (since <= 0) continue;
    const energy = pick(ENERGY, drawAt(key, DER_STREAM.sessionEnergy, day));
    const before = Math.max(0, since - 1) * car.quarterKwh;
    const taken = Math.min(energy, since * car.quarterKwh) - before;
    // Of two sessions at once a car has one.
    if (taken > most) most = taken;
  }
  return most;
}

import { lognormalQuantiles, pick, type Quantiles } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';

/**
 * A customer's own day: how much busier or quieter than its class the customer is at each time of day. All weekdays are
 * alike, and so are all weekend days: this is what one day has in common with the next.
 */

/** Quarter hours one habit lasts: two hours, so a day has twelve. */
export const PERIOD = 8;
export const PERIODS_PER_DAY = 96 / PERIOD;

/** Spread of the habits over customers, sdlog: homes differ widely, shops keep much the same hours. */
export const HOME_HABITS = lognormalQuantiles(0.55);
export const BUSINESS_HABITS = lognormalQuantiles(0.2);

/**
 * The factor on a customer's load at a time of day; mean 1 over customers.
 *
 * @param clock quarter hour of the day plus 96 on a weekend (`Expectation.clock`).
 */
export function habit(key: number, clock: number, habits: Quantiles): number {
  const weekend = clock >= 96 ? PERIODS_PER_DAY : 0;
  const position = (clock % 96) / PERIOD;
  const period = Math.floor(position);
  const here = pick(habits, drawAt(key, STREAM.schedule, weekend + period));
  const next = pick(habits, drawAt(key, STREAM.schedule, weekend + ((period + 1) % PERIODS_PER_DAY)));
  return here + (next - here) * (position - period);
}

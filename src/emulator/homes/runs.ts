import { WEEKDAY } from '../calendar/dayKind.js';
import { drawAt, STREAM } from '../chance/random.js';
import type { Home2 } from './home.js';
import type { HomeDay } from './presence.js';

/** Runs that a day has at most once or twice: meals, laundry, dishes. One draw for the day says when each begins. */

export function runsEnergy(
  home: Home2,
  today: HomeDay,
  day: number,
  quarter: number,
  kind: number,
  drive: number,
): number {
  let energy = mealEnergy(home, today, day, quarter, kind);
  if (home.wash > 0) energy += washEnergy(home, today, day, quarter, kind, drive);
  if (home.dishes > 0) energy += dishesEnergy(home, today, day, quarter, drive);
  return energy;
}

/** A meal's quarter hours: hot at first, then simmering. */
function mealEnergy(home: Home2, today: HomeDay, day: number, quarter: number, kind: number): number {
  const draw = drawAt(home.key, STREAM.meal, day);
  const jitter = (draw & 7) - 3;
  const dinner =
    Math.max(home.dinnerAt, today.stays ? 0 : today.comeBack + 1) +
    Math.round((jitter * home.household.looseness) / 5);
  const size = 0.5 + ((draw >>> 3) & 15) / 15;
  const length = 1 + ((draw >>> 7) & 3);
  let energy = 0;
  const since = quarter - dinner;
  const out = quarter >= today.outFrom && quarter < today.outTo;
  if (since >= 0 && since < length && !out && draw >>> 24 < home.dinner)
    energy += home.cooking * size * (since === 0 ? 1 : 0.7);
  // Lunch: of those who are in; on days off it is the larger meal, and on holidays there are guests.
  const lunch = 30 + ((draw >>> 9) & 7);
  if (today.stays && quarter >= lunch && quarter < lunch + (kind === WEEKDAY ? 2 : 4)) {
    const chance = kind === WEEKDAY ? 0.45 : kind === 1 ? 0.55 : 0.75;
    if (((draw >>> 16) & 255) < chance * home.dinner)
      energy += home.cooking * (kind === WEEKDAY ? 0.5 : kind === 3 ? 1.1 : 0.85);
  }
  return energy;
}

/** Two quarter hours of heating water, an hour of turning; the dryer follows. */
const WASHING = 6;
const DRYING = 4;

function washEnergy(
  home: Home2,
  today: HomeDay,
  day: number,
  quarter: number,
  kind: number,
  drive: number,
): number {
  const draw = drawAt(home.key, STREAM.wash, day);
  if (draw >>> 16 >= home.wash * (kind === WEEKDAY ? 0.85 : 1.35) * drive) return 0;
  const wish = home.washAt + (((draw & 15) - 7.5) * home.household.looseness) / 3;
  const start = Math.round(
    !today.stays && wish > today.leave - 2 && wish < today.comeBack ? today.comeBack + (draw & 3) : wish,
  );
  const since = quarter - start;
  if (since < 0 || since >= WASHING + DRYING + 4) return 0;
  if (since < WASHING)
    return since < 2 ? home.washing * (0.6 + ((draw >>> 8) & 7) / 10) : home.washing * 0.12;
  const dryer = ((draw >>> 11) & 15) < 12;
  return dryer && since < WASHING + DRYING + ((draw >>> 4) & 3) ? home.drying : 0;
}

/** Water heated at the start and again for the last rinse. */
const DISHES = [1, 0.55, 0.06, 0.9, 0.3];

function dishesEnergy(home: Home2, today: HomeDay, day: number, quarter: number, drive: number): number {
  const draw = drawAt(home.key, STREAM.dishes, day);
  if (draw >>> 16 >= home.dishes * drive) return 0;
  const start = Math.max(home.dishesAt, today.stays ? 0 : today.comeBack + 4) + ((draw & 7) >> 1);
  const since = quarter - start;
  return since >= 0 && since < DISHES.length ? home.dishwasher * (DISHES[since] as number) : 0;
}

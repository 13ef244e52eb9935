import { WEEKDAY } from '../calendar/dayKind.js';
import { drawAt, STREAM } from '../chance/random.js';
import type { Home } from './home.js';
import type { HomeDay } from './presence.js';

/** Runs that a day has at most once or twice: meals, laundry, dishes. One draw for the day says when each begins. */

/** Energy of the runs in one quarter hour of a day: as `energyOfRuns`, and nothing is drawn that could not be of it. */
export function runsEnergy(
  home: Home,
  today: HomeDay,
  day: number,
  quarter: number,
  kind: number,
  drive: number,
): number {
  const { key } = home;
  let energy = 0;
  if (mayBeMeal(home, today, quarter)) {
    fillMeals(runs, home, today, drawAt(key, STREAM.meal, day), kind);
    energy = mealEnergy(home, runs, quarter, kind);
  }
  if (home.wash > 0) {
    const draw = drawAt(key, STREAM.wash, day);
    if (isWashDay(home, draw, kind, drive))
      energy += washEnergy(home, draw, quarter - washStart(home, today, draw));
  }
  if (home.dishes > 0) {
    const since = quarter - earliestDishes(home, today);
    if (since >= 0 && since < LATEST_DISHES + DISHES.length) {
      const draw = drawAt(key, STREAM.dishes, day);
      if (draw >>> 16 < home.dishes * drive) energy += dishesEnergy(home, since - dishesLater(draw));
    }
  }
  return energy;
}

/** The runs of one day of a home: when each begins, whether it takes place or not. Whole numbers but for the size of dinner. */
export interface DayRuns {
  dinner: number;
  dinnerEnd: number;
  dinnerSize: number;
  outFrom: number;
  outTo: number;
  /** Equal where nobody is in for lunch. */
  lunch: number;
  lunchEnd: number;
  wash: number;
  dishes: number;
  /** The draws of the day. */
  meal: number;
  washing: number;
  dishwashing: number;
}

export function noRuns(): DayRuns {
  return {
    dinner: 0,
    dinnerEnd: 0,
    dinnerSize: 0.5,
    outFrom: 0,
    outTo: 0,
    lunch: 0,
    lunchEnd: 0,
    wash: 0,
    dishes: 0,
    meal: 0,
    washing: 0,
    dishwashing: 0,
  };
}

const runs = noRuns();

/** Draws a home's day. */
export function fillRuns(into: DayRuns, home: Home, today: HomeDay, day: number, kind: number): void {
  fillMeals(into, home, today, drawAt(home.key, STREAM.meal, day), kind);
  into.washing = home.wash > 0 ? drawAt(home.key, STREAM.wash, day) : 0;
  if (home.wash > 0) into.wash = washStart(home, today, into.washing);
  into.dishwashing = home.dishes > 0 ? drawAt(home.key, STREAM.dishes, day) : 0;
  into.dishes = earliestDishes(home, today) + dishesLater(into.dishwashing);
}

/** Energy of the runs in a quarter hour of the day that they are of. */
export function energyOfRuns(
  home: Home,
  ofDay: DayRuns,
  quarter: number,
  kind: number,
  drive: number,
): number {
  let energy = mealEnergy(home, ofDay, quarter, kind);
  if (home.wash > 0 && isWashDay(home, ofDay.washing, kind, drive))
    energy += washEnergy(home, ofDay.washing, quarter - ofDay.wash);
  if (home.dishes > 0 && ofDay.dishwashing >>> 16 < home.dishes * drive)
    energy += dishesEnergy(home, quarter - ofDay.dishes);
  return energy;
}

/** When a dinner would begin that nothing has moved, which four fifths of `looseness` move by at most. */
const usualDinner = (home: Home, today: HomeDay): number =>
  Math.max(home.dinnerAt, today.stays ? 0 : today.comeBack + 1);
const LONGEST_DINNER = 4;
/** Lunch is between these. */
const FIRST_LUNCH = 30;
const LAST_LUNCH = 41;

/** Whether a meal of any day like this could fall into a quarter hour. */
function mayBeMeal(home: Home, today: HomeDay, quarter: number): boolean {
  if (quarter >= FIRST_LUNCH && quarter < LAST_LUNCH && today.stays) return true;
  const since = quarter - usualDinner(home, today);
  const { looseness } = home;
  return since >= -looseness && since < looseness + LONGEST_DINNER;
}

function fillMeals(into: DayRuns, home: Home, today: HomeDay, draw: number, kind: number): void {
  const jitter = (draw & 7) - 3;
  into.meal = draw;
  into.dinner = usualDinner(home, today) + Math.round((jitter * home.looseness) / 5);
  into.dinnerSize = 0.5 + ((draw >>> 3) & 15) / 15;
  into.dinnerEnd = into.dinner + 1 + ((draw >>> 7) & 3);
  into.outFrom = today.outFrom;
  into.outTo = today.outTo;
  into.lunch = FIRST_LUNCH + ((draw >>> 9) & 7);
  into.lunchEnd = today.stays ? into.lunch + (kind === WEEKDAY ? 2 : 4) : into.lunch;
}

/** A meal's quarter hours: hot at first, then simmering. */
function mealEnergy(home: Home, ofDay: DayRuns, quarter: number, kind: number): number {
  let energy = 0;
  if (quarter >= ofDay.dinner && quarter < ofDay.dinnerEnd) {
    const out = quarter >= ofDay.outFrom && quarter < ofDay.outTo;
    if (!out && ofDay.meal >>> 24 < home.dinner)
      energy += home.cooking * ofDay.dinnerSize * (quarter === ofDay.dinner ? 1 : 0.7);
  }
  // Lunch: of those who are in; on days off it is the larger meal, and on holidays there are guests.
  if (quarter >= ofDay.lunch && quarter < ofDay.lunchEnd) {
    const chance = kind === WEEKDAY ? 0.45 : kind === 1 ? 0.55 : 0.75;
    if (((ofDay.meal >>> 16) & 255) < chance * home.dinner)
      energy += home.cooking * (kind === WEEKDAY ? 0.5 : kind === 3 ? 1.1 : 0.85);
  }
  return energy;
}

/** Two quarter hours of heating water, an hour of turning; the dryer follows. */
const WASHING = 6;
const DRYING = 4;

function washStart(home: Home, today: HomeDay, draw: number): number {
  const wish = home.washAt + (((draw & 15) - 7.5) * home.looseness) / 3;
  return Math.round(
    !today.stays && wish > today.leave - 2 && wish < today.comeBack ? today.comeBack + (draw & 3) : wish,
  );
}

function isWashDay(home: Home, draw: number, kind: number, drive: number): boolean {
  return draw >>> 16 < home.wash * (kind === WEEKDAY ? 0.85 : 1.35) * drive;
}

/** @param since quarter hours from the start on. */
function washEnergy(home: Home, draw: number, since: number): number {
  if (since < 0) return 0;
  if (since < WASHING)
    return since < 2 ? home.washing * (0.6 + ((draw >>> 8) & 7) / 10) : home.washing * 0.12;
  const dryer = ((draw >>> 11) & 15) < 12;
  return dryer && since < WASHING + DRYING + ((draw >>> 4) & 3) ? home.drying : 0;
}

/** Water heated at the start and again for the last rinse. */
const DISHES = [1, 0.55, 0.06, 0.9, 0.3];
/** Quarter hours that dishes wait at most. */
const LATEST_DISHES = 3;

const earliestDishes = (home: Home, today: HomeDay): number =>
  Math.max(home.dishesAt, today.stays ? 0 : today.comeBack + 4);
const dishesLater = (draw: number): number => (draw & 7) >> 1;

function dishesEnergy(home: Home, since: number): number {
  return since < 0 || since >= DISHES.length ? 0 : home.dishwasher * (DISHES[since] as number);
}

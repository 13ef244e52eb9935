import type { Place } from '../../contracts/places.js';
import { MOST_TRAVEL, travel, WEEKDAY } from '../calendar/dayKind.js';
import { drawAt, STREAM } from '../chance/random.js';
import { type Household, SECOND_HOME, SHIFTS } from './households.js';

/**
 * Whether a home's people are there, awake and up to something. Everything is found from the day and the home alone:
 * a day's hours by one draw, journeys by looking at the fortnight and the third of a year that the day lies in and the
 * one before.
 */

/** A day of a household; made anew for each read and overwritten by the next, since a read must allocate nothing. */
export interface HomeDay {
  /** Nobody at home all day. */
  away: boolean;
  /** Quarter hours since four in the morning; nobody in from `leave` to `comeBack` unless `stays`. */
  wake: number;
  bed: number;
  leave: number;
  comeBack: number;
  stays: boolean;
  /** Quarter hours from which an evening is spent elsewhere, and until when; none where they are equal. */
  outFrom: number;
  outTo: number;
}

export const NO_DAY: HomeDay = {
  away: false,
  wake: 0,
  bed: 0,
  leave: 0,
  comeBack: 0,
  stays: true,
  outFrom: 0,
  outTo: 0,
};

/** Lengths of the stretches of days in which there is at most one journey of a kind. */
/** As powers of two. */
const FORTNIGHT_LOG2 = 4;
const THIRD_LOG2 = 7;

/** @param kind of the day, `dayKind`. */
export function fillDay(
  into: HomeDay,
  key: number,
  of: Household,
  place: Place,
  day: number,
  kind: number,
): void {
  const draw = drawAt(key, STREAM.homeDay, day);
  const off = kind !== WEEKDAY;
  const late = stagger(draw, of.looseness);
  into.wake = Math.max(0, off ? of.wakeOff + late : of.wake + ((late / 3) | 0));
  into.bed = Math.min(95, of.bed + (kind === 1 ? 3 : 0) + stagger(draw >>> 8, of.looseness));
  into.leave = (off ? of.wakeOff + 8 : of.leave) + (stagger(draw >>> 16, of.looseness) >> 1);
  into.comeBack = of.comeBack + stagger(draw >>> 20, of.looseness) - (off ? 4 : 0);
  into.stays = (draw >>> 24) * 256 < (off ? of.daytimeOff : of.daytime);
  const mood = drawAt(key, STREAM.homeRota, day);
  const dayAway = of.dayAway * (off ? 1.8 : 0.8) * (kind === 3 ? 1.6 : 1);
  into.away =
    mood >>> 16 < dayAway ||
    (of.kind !== SECOND_HOME && onJourney(key, of, place, day)) ||
    (of.longTrip > 0 && onLongJourney(key, of.longTrip, day));
  if (of.kind === SECOND_HOME)
    into.away = !onJourney(key, of, place, day) && !(off && ((mood >>> 8) & 255) < 40);
  const out = (mood & 255) * 256 < of.eveningOut * (off ? 1.5 : 1);
  into.outFrom = out ? 52 + ((mood >>> 8) & 15) : 0;
  into.outTo = out ? Math.min(into.bed - 1, into.outFrom + 10 + ((mood >>> 12) & 7)) : 0;
  if (of.kind === SHIFTS) rotate(into, key, day, off);
}

/** From eight bits, triangular between minus and plus `most`. */
function stagger(bits: number, most: number): number {
  return ((((bits & 15) + ((bits >>> 4) & 15) - 15) * most) / 15) | 0;
}

/** Early, late and night shifts by weeks. */
function rotate(into: HomeDay, key: number, day: number, off: boolean): void {
  if (off) return;
  const shift = drawAt(key, STREAM.homeRota, -1 - Math.floor((day + 3) / 7)) % 3;
  if (shift === 0) {
    into.wake = 2;
    into.leave = 6;
    into.comeBack = 42;
    into.bed = Math.min(into.bed, 72);
  } else if (shift === 1) {
    into.wake += 8;
    into.leave = 36;
    into.comeBack = 74;
    into.bed = 84;
  } else {
    into.wake = 42;
    into.leave = 68;
    into.comeBack = 96;
    into.bed = 96;
  }
}

function onJourney(key: number, of: Household, place: Place, day: number): boolean {
  const block = (day + (key & 15)) >> FORTNIGHT_LOG2;
  return tripCovers(key, of, place, day, block) || tripCovers(key, of, place, day, block - 1);
}

/** Most journeys are of two to four days, some of a week, few of a fortnight. */
function tripCovers(key: number, of: Household, place: Place, day: number, block: number): boolean {
  const draw = drawAt(key, STREAM.trip, block);
  const chance = draw >>> 16;
  if (chance > of.trip * MOST_TRAVEL) return false;
  const starts = (block << FORTNIGHT_LOG2) - (key & 15) + ((draw >>> 8) & 15);
  const skew = (draw & 255) / 256;
  const length = 2 + ((13 * skew * skew * skew) | 0);
  return day >= starts && day < starts + length && chance < of.trip * travel(place, starts);
}

function onLongJourney(key: number, probability: number, day: number): boolean {
  const block = (day + (key & 127)) >> THIRD_LOG2;
  return longTripCovers(key, probability, day, block) || longTripCovers(key, probability, day, block - 1);
}

/** Three to fifteen weeks. */
function longTripCovers(key: number, probability: number, day: number, block: number): boolean {
  const draw = drawAt(key, STREAM.longTrip, block);
  if (draw >>> 16 >= probability) return false;
  const starts = (block << THIRD_LOG2) - (key & 127) + (draw & 127);
  return day >= starts && day < starts + 20 + (((draw >>> 7) & 127) * 85) / 127;
}

/** How much goes on in an evening: levels are counted in 256ths of it. */
const FULL = 256;

/** How much goes on in a home in a quarter hour of its day, from 0 (asleep or out) to `FULL`. */
export function activity(
  of: HomeDay,
  quarter: number,
  dayLevel: number,
  morningLevel: number,
  nightLevel: number,
): number {
  if (of.away) return 0;
  if (quarter < of.wake || quarter >= of.bed) return nightLevel;
  if (quarter >= of.outFrom && quarter < of.outTo) return 0;
  if (quarter >= of.leave && quarter < of.comeBack && !of.stays) return 0;
  if (quarter < of.wake + 6) return morningLevel;
  return quarter >= 50 || quarter >= of.comeBack ? FULL : dayLevel;
}

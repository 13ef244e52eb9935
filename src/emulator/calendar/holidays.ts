import Holidays from 'date-holidays';
import type { Place } from '../../contracts/places.js';
import { PLACES } from '../weather/places.js';

/**
 * Public holidays of a place's country and state. The library answers for a year in some 25 to 150 ms, so a year is
 * asked for once; asked about a single date it answers by UTC, which is the day before in the Americas. Its version is
 * pinned, since a rule that changes would change reads of the past.
 */

const MS_PER_DAY = 86_400_000;
/** Places times years kept: a backfill of ten years in every place. A full store starts afresh. */
const MAX_YEARS = 50;
const kept = new Map<string, ReadonlySet<number>>();

/** Whether the local day, in days since 1970-01-01 by the calendar there, is a public holiday of the place. */
export function isPublicHoliday(place: Place, day: number): boolean {
  return holidaysOf(place, new Date(day * MS_PER_DAY).getUTCFullYear()).has(day);
}

function holidaysOf(place: Place, year: number): ReadonlySet<number> {
  const name = `${place} ${year}`;
  let days = kept.get(name);
  if (days === undefined) {
    if (kept.size >= MAX_YEARS) kept.clear();
    const { country, state } = PLACES[place];
    const found = new Holidays(country, state).getHolidays(year, 'en');
    days = new Set(found.filter(({ type }) => type === 'public').map(({ date }) => dayOf(date)));
    kept.set(name, days);
  }
  return days;
}

/** `2026-12-25 00:00:00` as days since 1970-01-01. */
function dayOf(date: string): number {
  return Date.parse(date.slice(0, 10)) / MS_PER_DAY;
}

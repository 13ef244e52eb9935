import type { Place } from '../../contracts/places.js';
import { isPublicHoliday } from './holidays.js';

/**
 * What kind of day it is for homes and trade. A public holiday has a Sunday's shape (BDEW; a real holiday's shape
 * correlates with Sunday's by 0.96 to 0.99); 24 and 31 December count as Saturdays unless they are Sundays (BDEW).
 */
export const WEEKDAY = 0;
export const SATURDAY = 1;
export const SUNDAY = 2;
export const HOLIDAY = 3;

const MS_PER_DAY = 86_400_000;

/** @param day local, in days since 1970-01-01. */
export function dayKind(place: Place, day: number): number {
  // 1970-01-01 was a Thursday; 0 is Sunday.
  const weekday = (((day + 4) % 7) + 7) % 7;
  if (isPublicHoliday(place, day)) return HOLIDAY;
  if (weekday === 0) return SUNDAY;
  return weekday === 6 || isEve(day) ? SATURDAY : WEEKDAY;
}

function isEve(day: number): boolean {
  const date = new Date(day * MS_PER_DAY);
  return date.getUTCMonth() === 11 && (date.getUTCDate() === 24 || date.getUTCDate() === 31);
}

/** Chance of being away from home for days, against the mean of the year, by month from January in the north. */
const TRAVEL_NORTH = [0.6, 0.7, 0.8, 1.1, 0.9, 1.0, 1.6, 1.7, 0.9, 1.0, 0.7, 1.0];
/** Their long holidays are from Christmas to January. */
const TRAVEL_SOUTH = [2.0, 0.8, 0.8, 1.2, 0.7, 0.8, 1.0, 0.7, 0.9, 1.1, 0.8, 1.3];
const CHRISTMAS = 1.9;
/** The most that `travel` gives. */
export const MOST_TRAVEL = 2;

/** How many more set out on a journey on a day than on a mean one; school holidays, by month, and Christmas. */
export function travel(place: Place, day: number): number {
  const date = new Date(day * MS_PER_DAY);
  const month = date.getUTCMonth();
  if (month === 11 && date.getUTCDate() >= 20) return CHRISTMAS;
  return (place === 'australia-nsw' ? TRAVEL_SOUTH : TRAVEL_NORTH)[month] as number;
}

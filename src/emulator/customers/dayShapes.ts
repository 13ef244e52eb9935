import { G25, H25 } from './bdewProfiles.js';
import type { CustomerClass } from './customers.js';
import { DAY_TYPES, type DayType, QUARTER_HOURS_PER_DAY } from './localTime.js';

/**
 * How a class's load goes through the day, by month and day type: 96 quarter hours, whose mean over a week of
 * that month is 1. How the months compare with each other is the climate's (`climate.ts`).
 */

const DAYS_PER_WEEK: Readonly<Record<DayType, number>> = { weekday: 5, saturday: 1, sunday: 1 };
const MONTHS = 12;

/**
 * A plant on two shifts with a base that never stops, by local hour. The day shape is this project's own,
 * drawn flat: no standard profile covers metered industry.
 */
const SHIFTS: Readonly<Record<DayType, readonly number[]>> = {
  weekday: [
    0.82, 0.81, 0.81, 0.82, 0.86, 0.98, 1.12, 1.2, 1.23, 1.24, 1.23, 1.2, 1.16, 1.19, 1.18, 1.15, 1.12, 1.1,
    1.08, 1.06, 1.04, 1.0, 0.92, 0.85,
  ],
  saturday: [
    0.8, 0.78, 0.77, 0.77, 0.79, 0.84, 0.92, 0.97, 0.99, 0.99, 0.98, 0.95, 0.91, 0.88, 0.85, 0.82, 0.8, 0.79,
    0.78, 0.77, 0.76, 0.75, 0.74, 0.73,
  ],
  sunday: [
    0.71, 0.7, 0.69, 0.69, 0.69, 0.69, 0.7, 0.71, 0.71, 0.72, 0.72, 0.72, 0.71, 0.71, 0.71, 0.71, 0.71, 0.72,
    0.72, 0.73, 0.74, 0.75, 0.77, 0.79,
  ],
};

type MonthlyRows = Record<DayType, readonly (readonly number[])[]>;

const ROWS: Readonly<Record<CustomerClass, MonthlyRows>> = {
  residential: parse(H25),
  commercial: parse(G25),
  industrial: everyMonth(SHIFTS),
};

/** Load by quarter hour of the day, relative to the mean of a week of that month (0–11). */
export function dayShape(customerClass: CustomerClass, month: number, dayType: DayType): readonly number[] {
  const mean = publishedMonthMean(customerClass, month);
  return row(customerClass, month, dayType).map((value) => value / mean);
}

/** The mean load of a week of that month, relative as the profile has it. */
export function publishedMonthMean(customerClass: CustomerClass, month: number): number {
  return DAY_TYPES.reduce((sum, dayType) => {
    const day = row(customerClass, month, dayType).reduce((total, value) => total + value, 0);
    return sum + (day * DAYS_PER_WEEK[dayType]) / (7 * QUARTER_HOURS_PER_DAY);
  }, 0);
}

function row(customerClass: CustomerClass, month: number, dayType: DayType): readonly number[] {
  return ROWS[customerClass][dayType][month] as readonly number[];
}

function parse(profile: Readonly<Record<DayType, readonly string[]>>): MonthlyRows {
  const numbers = (rows: readonly string[]) => rows.map((line) => line.split(' ').map(Number));
  return {
    weekday: numbers(profile.weekday),
    saturday: numbers(profile.saturday),
    sunday: numbers(profile.sunday),
  };
}

function everyMonth(days: Readonly<Record<DayType, readonly number[]>>): MonthlyRows {
  const repeat = (hours: readonly number[]) => Array.from({ length: MONTHS }, () => quarterHours(hours));
  return { weekday: repeat(days.weekday), saturday: repeat(days.saturday), sunday: repeat(days.sunday) };
}

/** Quarter hours on the straight lines between the middles of the hours. */
function quarterHours(hours: readonly number[]): readonly number[] {
  return Array.from({ length: QUARTER_HOURS_PER_DAY }, (_, quarter) => {
    const sinceMiddle = (quarter + 0.5) / 4 + 23.5;
    const before = Math.floor(sinceMiddle);
    const [here, next] = [hours[before % 24] as number, hours[(before + 1) % 24] as number];
    return here + (next - here) * (sinceMiddle - before);
  });
}

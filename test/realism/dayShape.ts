import { CUSTOMER_CLASSES, type CustomerClass } from '../../src/emulator/customers/customers.js';
import { daySlot, places, readsAt, type Sample, SLOTS_PER_DAY } from './sample.js';
import { mean } from './statistics.js';

/** The load of all customers of a class by quarter hour of the day, relative to the day's mean. */
export type Shapes = Record<CustomerClass, Float64Array>;

export type DayOfYear = readonly [month: number, day: number];

/** Weekdays of 2026 that the shapes are taken from, month from 0 and day. */
export const WINTER_DAYS: readonly DayOfYear[] = [
  [0, 14],
  [0, 29],
  [1, 10],
  [11, 9],
];
export const SUMMER_DAYS: readonly DayOfYear[] = [
  [5, 10],
  [6, 9],
  [6, 28],
  [7, 18],
];

/** The mean of the days, each relative to its own mean. */
export function shapes(sample: Sample, meterCount: number, days: readonly DayOfYear[]): Shapes {
  const fleet = { meterCount, feederCount: 25 };
  const classes = places(sample, fleet).map((place) => place.customerClass);
  const result = zeroes();
  for (const [month, day] of days) {
    const totals = zeroes();
    for (let quarter = 0; quarter < SLOTS_PER_DAY; quarter += 1) {
      readsAt(sample, fleet, daySlot(2026, month, day) + quarter).kwh.forEach((kwh, meter) => {
        const total = totals[classes[meter] as CustomerClass];
        total[quarter] = (total[quarter] as number) + kwh;
      });
    }
    for (const itsClass of CUSTOMER_CLASSES) {
      const level = mean(totals[itsClass]) * days.length;
      result[itsClass] = result[itsClass].map(
        (sum, quarter) => sum + (totals[itsClass][quarter] as number) / level,
      );
    }
  }
  return result;
}

export interface Extremes {
  min: number;
  max: number;
  /** Hour of the day at which the lowest and the highest quarter hour begins. */
  minAt: number;
  maxAt: number;
}

/**
 * Levels are those of single quarter hours. Where they lie is found on the moving mean of five of them, as the
 * middle of those within 3 % of the end: troughs are flat, and one quarter hour's noise would decide.
 */
export function extremes(shape: Float64Array): Extremes {
  const smooth = shape.map((_, quarter) =>
    mean([-2, -1, 0, 1, 2].map((step) => shape[(quarter + step + SLOTS_PER_DAY) % SLOTS_PER_DAY] as number)),
  );
  const [low, high] = [least(smooth), most(smooth)];
  return {
    min: least(shape),
    max: most(shape),
    minAt: middle(smooth, (value) => value < low * 1.03),
    maxAt: middle(smooth, (value) => value > high * 0.97),
  };
}

function middle(values: Float64Array, belongs: (value: number) => boolean): number {
  return mean(
    Array.from(values, (_, quarter) => quarter / 4).filter((_, at) => belongs(values[at] as number)),
  );
}

const least = (values: Float64Array): number => values.reduce((low, value) => Math.min(low, value));
const most = (values: Float64Array): number => values.reduce((high, value) => Math.max(high, value));

function zeroes(): Shapes {
  return {
    residential: new Float64Array(SLOTS_PER_DAY),
    commercial: new Float64Array(SLOTS_PER_DAY),
    industrial: new Float64Array(SLOTS_PER_DAY),
  };
}

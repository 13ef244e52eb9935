import type { Climate } from '../../contracts/place.js';
import { CUSTOMER_CLASSES, type CustomerClass } from './customers.js';
import { expectedKwh, meanQuarterKwh } from './load.js';
import { type LocalQuarter, localQuarter } from './localTime.js';

/**
 * What is expected of every class around the quarter hours of one batch. It is worked out once; each read then looks up
 * the quarter hours that its customer's own schedule needs, some earlier or later than the clock.
 */
export interface Expectation {
  /** The first of the quarter hours that reads are wanted for, and how many there are. */
  firstSlot: number;
  slots: number;
  /** Load relative to the class's mean over the year, by `at(slot)`. */
  level: Readonly<Record<CustomerClass, Float64Array>>;
  /** The local clock, by `at(slot)`: quarter hour of the day, 0–95, plus 96 on a weekend. */
  clock: Int32Array;
  /** Index into the columns above of a slot between `firstSlot − EARLIER` and the last slot plus `LATER`. */
  at(slot: number): number;
}

/**
 * How far a read may look before and after its own quarter hour: habits are shifted by up to 4 quarter hours, and an
 * appliance run may have started up to 5 before, drawn by the load up to 2 after its start.
 */
const EARLIER = 9;
const LATER = 6;

/** @throws RangeError when `timeZone` is no zone of the IANA database. */
export function expectationAround(
  timeZone: string,
  climate: Climate,
  firstSlot: number,
  slots: number,
): Expectation {
  const origin = firstSlot - EARLIER;
  const quarters = Array.from({ length: EARLIER + slots + LATER }, (_, index) =>
    localQuarter(timeZone, origin + index),
  );
  const level = (itsClass: CustomerClass) => {
    const mean = meanQuarterKwh(itsClass);
    return Float64Array.from(quarters, (quarter) => expectedKwh(climate, itsClass, quarter) / mean);
  };
  return {
    firstSlot,
    slots,
    level: Object.fromEntries(
      CUSTOMER_CLASSES.map((itsClass) => [itsClass, level(itsClass)]),
    ) as Expectation['level'],
    clock: Int32Array.from(quarters, clockOf),
    at: (slot) => slot - origin,
  };
}

function clockOf(quarter: LocalQuarter): number {
  return quarter.quarterOfDay + (quarter.dayType === 'weekday' ? 0 : 96);
}

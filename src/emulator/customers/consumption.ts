import { valueNoise } from '../chance/noise.js';
import { lognormalQuantiles, pick, type Quantiles } from '../chance/quantiles.js';
import { drawAt, type Randomness, STREAM } from '../chance/random.js';
import type { MeteredCustomer } from '../der/equipment.js';
import { APPLIANCE_SHARE, appliancePower, STARTS_PER_QUARTER } from './appliances.js';
import { type CustomerClass, type CustomerMix, customerClass, customerSize } from './customers.js';
import type { Expectation } from './expectation.js';
import { BUSINESS_HABITS, HOME_HABITS, habit } from './habits.js';
import { meanQuarterKwh } from './load.js';

/** What one customer draws, quarter hour by quarter hour. */
export interface Customer extends MeteredCustomer {
  /** Quarter hours by which the customer is later than its class. */
  shift: number;
  /** Energy of one unit of appliance power over a quarter hour, kWh; homes only. */
  applianceKwh: number;
  /** Appliance runs started per quarter hour at mean load; homes only. */
  applianceStarts: number;
}

/** Latest and earliest a customer may be against its class, quarter hours. */
const MAX_SHIFT: Readonly<Record<CustomerClass, number>> = { residential: 4, commercial: 1, industrial: 0 };

/**
 * Larger homes have more appliances that run more often, rather than larger ones: the strength of a run grows with this
 * power of the home's size, the number of runs with the rest. A small home's kettle and a large home's peak both stay
 * plausible.
 */
const STRENGTH_BY_SIZE = 0.65;
/** How homes of a size differ in having few strong runs or many weak ones. */
const PEAKINESS = lognormalQuantiles(0.2);

/** A meter's customer, who never changes: made from the meter's subject of randomness and its feeder's mix. */
export function createCustomer(random: Randomness, meter: number, mix: CustomerMix): Customer {
  const itsClass = customerClass(random, meter, mix);
  const size = customerSize(random, meter, itsClass);
  const key = random.key(STREAM.meter, meter);
  const strength = size ** STRENGTH_BY_SIZE * pick(PEAKINESS, drawAt(key, STREAM.peakiness, 0));
  return {
    customerClass: itsClass,
    key,
    meanKwh: size * meanQuarterKwh(itsClass),
    shift: shiftOf(drawAt(key, STREAM.shift, 0), MAX_SHIFT[itsClass]),
    applianceKwh: strength * meanQuarterKwh('residential'),
    applianceStarts: (size / strength) * STARTS_PER_QUARTER,
  };
}

/** Triangular between −max and max: the sum of two uniform draws. */
function shiftOf(draw: number, max: number): number {
  const half = (bits: number) => (bits * (max + 1)) >>> 16;
  return half(draw & 0xffff) + half(draw >>> 16) - max;
}

/** Bits of a key that are the phase of its customer's noise, in quarter hours. */
export const PHASES = 0x3ff;
/** Memory of a customer's load: what lasts for hours, for a day or two, for a week or more. */
export const HOURS = 9;
export const DAYS = 120;
export const WEEKS = 900;
export const HOME_HOURS = lognormalQuantiles(0.3);
export const HOME_DAYS = lognormalQuantiles(0.25);
export const HOME_WEEKS = lognormalQuantiles(0.22);
export const HOME_QUARTER = lognormalQuantiles(0.17);
export const BUSINESS_HOURS = lognormalQuantiles(0.12);
export const BUSINESS_DAYS = lognormalQuantiles(0.1);
export const BUSINESS_WEEKS = lognormalQuantiles(0.1);
export const BUSINESS_QUARTER = lognormalQuantiles(0.06);

/** Weeks in which nobody is at home, beginning at an instant of each meter's own, and what is drawn then. */
export const AWAY_SLOTS = 672;
export const AWAY_PROBABILITY = 0.03;
export const AWAY_DRAW = 0.35;
/** Makes up for the energy not drawn while away. */
export const AT_HOME = 1 / (1 - AWAY_PROBABILITY * (1 - AWAY_DRAW * (1 - APPLIANCE_SHARE)));

/**
 * A home has a 200 A service at 240 V, of which a quarter hour's mean uses half at most: from 12 kW on, what
 * would be more is bent towards 21 kW. kWh per quarter hour.
 */
const BEND_KWH = 12 / 4;
const SERVICE_LIMIT_KWH = 21 / 4;

/**
 * Energy a customer draws in a quarter hour, kWh, before what all customers of its feeder have in common.
 *
 * @param slot UTC quarter hour, within the expectation's.
 */
export function consumedKwh(customer: Customer, slot: number, expectation: Expectation): number {
  return customer.customerClass === 'residential'
    ? homeKwh(customer, slot, expectation)
    : businessKwh(customer, slot, expectation);
}

function homeKwh(home: Customer, slot: number, expectation: Expectation): number {
  const { key } = home;
  const index = expectation.at(slot) - home.shift;
  // Each meter's noise has its own phase, or all would bend at the same instant.
  const step = slot + (key & PHASES);
  const clock = expectation.clock[index] as number;
  const standing =
    (1 - APPLIANCE_SHARE) *
    home.meanKwh *
    (expectation.level.residential[index] as number) *
    habit(key, clock, HOME_HABITS) *
    memory(key, step, HOME_HOURS, HOME_DAYS, HOME_WEEKS) *
    pick(HOME_QUARTER, drawAt(key, STREAM.quarterNoise, slot));
  if (drawAt(key, STREAM.away, Math.floor(step / AWAY_SLOTS)) < AWAY_PROBABILITY * 2 ** 32) {
    return AT_HOME * AWAY_DRAW * standing;
  }
  const runs = home.applianceKwh * appliancePower(key, slot, index, home.applianceStarts, expectation);
  return withinService(AT_HOME * (standing + runs));
}

function businessKwh(business: Customer, slot: number, expectation: Expectation): number {
  const { key } = business;
  const index = expectation.at(slot) - business.shift;
  const step = slot + (key & PHASES);
  return (
    business.meanKwh *
    (expectation.level[business.customerClass][index] as number) *
    habit(key, expectation.clock[index] as number, BUSINESS_HABITS) *
    memory(key, step, BUSINESS_HOURS, BUSINESS_DAYS, BUSINESS_WEEKS) *
    pick(BUSINESS_QUARTER, drawAt(key, STREAM.quarterNoise, slot))
  );
}

function memory(key: number, step: number, hours: Quantiles, days: Quantiles, weeks: Quantiles): number {
  return (
    valueNoise(key, STREAM.hoursNoise, step, HOURS, hours) *
    valueNoise(key, STREAM.dayNoise, step, DAYS, days) *
    valueNoise(key, STREAM.weekNoise, step, WEEKS, weeks)
  );
}

export function withinService(kwh: number): number {
  if (kwh <= BEND_KWH) return kwh;
  const room = SERVICE_LIMIT_KWH - BEND_KWH;
  return BEND_KWH + room * (1 - Math.exp((BEND_KWH - kwh) / room));
}

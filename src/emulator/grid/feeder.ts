import type { Customers } from '../../contracts/emulation.js';
import { valueNoise } from '../chance/noise.js';
import { lognormalQuantiles } from '../chance/quantiles.js';
import { type Randomness, STREAM, subjectOf } from '../chance/random.js';
import {
  CUSTOMER_CLASSES,
  type CustomerMix,
  feederMix,
  feederMixOf,
  MEAN_KWH_PER_DAY,
} from '../customers/customers.js';
import type { Expectation } from '../customers/expectation.js';
import { lossAtMeanLoad, lossFraction } from './losses.js';
import { headVoltage, lineDrop } from './voltage.js';

/** A feeder: what never changes about it, and its state in one quarter hour. */
export interface Feeder {
  key: number;
  mix: CustomerMix;
  /** Technical loss at mean load, share of delivered energy. */
  lossAtMean: number;
  /** Voltage drop from the substation to the far end at mean load, volts. */
  farEndDrop: number;
}

/** One quarter hour of a feeder, the same for all of its meters. */
export interface FeederQuarter {
  feederKey: number;
  slot: number;
  /** Factor on every customer's consumption: weather and local life. */
  disturbance: number;
  /** Load relative to the feeder's mean over the year. */
  relativeLoad: number;
  /** Technical loss, share of delivered energy. */
  lossFraction: number;
  /** Voltage at the substation, volts. */
  headVolts: number;
  /** Voltage drop to the far end, volts. */
  farEndDrop: number;
}

/** By feeder number (1-based), of a fleet of `feederCount`. */
export function createFeeder(
  random: Randomness,
  feeder: number,
  feederCount: number,
  customers?: Customers,
): Feeder {
  return feederOf(random.key(STREAM.feeder, feeder), feederMix(random, feeder, feederCount, customers));
}

/** By id, whatever other feeders there are. */
export function createNamedFeeder(random: Randomness, id: string, customers?: Customers): Feeder {
  const subject = subjectOf(id);
  return feederOf(random.key(STREAM.feeder, subject), feederMixOf(random, subject, customers));
}

function feederOf(key: number, mix: CustomerMix): Feeder {
  return { key, mix, lossAtMean: lossAtMeanLoad(key), farEndDrop: lineDrop(key) };
}

/** Weather over all of a tenant's feeders, and each feeder's own departures, for hours and for days. */
const WEATHER_STEPS = 288;
const WEATHER = lognormalQuantiles(0.015);
const HOURS_STEPS = 16;
const HOURS = lognormalQuantiles(0.02);
const DAYS_STEPS = 192;
const DAYS = lognormalQuantiles(0.025);

/** Above this relative load, customers are being asked to save and the curve bends towards its limit. */
const BEND_LOAD = 2.1;
const MAX_LOAD = 2.35;

/**
 * The feeder in a quarter hour. Its load is what its mix of customers is expected to draw, never the sum over its
 * meters: a read must not need the others.
 *
 * @param weatherKey of the tenant, `STREAM.weather`.
 */
export function feederQuarter(
  feeder: Feeder,
  weatherKey: number,
  slot: number,
  expectation: Expectation,
): FeederQuarter {
  const disturbance =
    valueNoise(weatherKey, STREAM.weather, slot, WEATHER_STEPS, WEATHER) *
    valueNoise(feeder.key, STREAM.feederHours, slot, HOURS_STEPS, HOURS) *
    valueNoise(feeder.key, STREAM.feederDays, slot, DAYS_STEPS, DAYS);
  const relativeLoad = bend(expectedLoad(feeder.mix, slot, expectation) * disturbance);
  return {
    feederKey: feeder.key,
    slot,
    disturbance,
    relativeLoad,
    lossFraction: lossFraction(feeder.lossAtMean, relativeLoad),
    headVolts: headVoltage(feeder.key, slot),
    farEndDrop: feeder.farEndDrop * relativeLoad,
  };
}

function expectedLoad(mix: CustomerMix, slot: number, expectation: Expectation): number {
  const index = expectation.at(slot);
  let mean = 0;
  let now = 0;
  for (const itsClass of CUSTOMER_CLASSES) {
    const energy = mix[itsClass] * MEAN_KWH_PER_DAY[itsClass];
    mean += energy;
    now += energy * (expectation.level[itsClass][index] as number);
  }
  return now / mean;
}

function bend(load: number): number {
  const room = MAX_LOAD - BEND_LOAD;
  return load <= BEND_LOAD ? load : BEND_LOAD + room * (1 - Math.exp((BEND_LOAD - load) / room));
}

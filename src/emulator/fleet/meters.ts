import { LRUCache } from 'lru-cache';
import type { Customers, PlaceModel } from '../../contracts/emulation.js';
import type { Place } from '../../contracts/places.js';
import { createRandomness, drawAt, type Randomness, STREAM } from '../chance/random.js';
import { type Customer, createCustomer } from '../customers/consumption.js';
import { createFeeder, type Feeder } from '../grid/feeder.js';
import { pointOffset } from '../grid/voltage.js';
import { METERS_PER_TRANSFORMER } from '../grid/voltageAnomalies.js';
import { type PlaceCustomer, placeCustomerOf } from '../placeModels.js';
import { feederId, feederRuns, meterId, meterNumber, type SyntheticFleet } from './syntheticFleet.js';

/** A meter: what never changes about it. */
export interface Meter {
  id: string;
  customer: Customer;
  /** The customer in a place, once it has been asked for, and of which model and place; another of either makes another. */
  inPlace: PlaceCustomer | null;
  model: PlaceModel | null;
  place: Place | null;
  /** Its transformer, counted from 0 along its feeder. */
  transformer: number;
  /** Distance from the substation, 0–1; meters of one transformer are at the same place. */
  distance: number;
  /** Volts by which its service differs from its neighbours'. */
  voltsOffset: number;
}

/** A feeder with meters of it, in the order of the roster. */
export interface MeteredFeeder {
  id: string;
  feeder: Feeder;
  /** Key of the tenant's weather, `STREAM.weather`. */
  weatherKey: number;
  /** The meter at `ordinal` (from 0). */
  meter(ordinal: number): Meter;
}

/** Consecutive meters of one feeder, with the ordinals `first` to `first + count - 1`: reads are made per run. */
export interface MeterRun {
  on: MeteredFeeder;
  first: number;
  count: number;
}

/** The runs at positions `[from, to)` of a synthetic fleet's roster. */
export function syntheticRuns(
  seed: string,
  tenantId: string,
  fleet: SyntheticFleet,
  from: number,
  to: number,
  customers?: Customers,
): MeterRun[] {
  return feederRuns(fleet, from, to).map(({ feeder, firstOrdinal, count }) => ({
    on: meteredFeeder(seed, tenantId, feeder, fleet.feederCount, customers),
    first: firstOrdinal,
    count,
  }));
}

/**
 * Feeders kept with their meters: four fleets of 25,000 meters on 25 feeders, 30 MB. A few hundred bytes per meter save
 * half of the time of a read. A feeder follows from its name alone, so a read is the same with the cache or without.
 */
const kept = new LRUCache<string, MeteredFeeder>({ max: 100 });

/** The feeder (1-based) of a fleet of `feederCount` feeders, with its meters. */
export function meteredFeeder(
  seed: string,
  tenantId: string,
  feeder: number,
  feederCount: number,
  customers: Customers = {},
): MeteredFeeder {
  const { commercial, industrial } = customers;
  const name = JSON.stringify([seed, tenantId, feeder, feederCount, commercial, industrial]);
  const found = kept.get(name);
  if (found !== undefined) return found;
  const made = createMeteredFeeder(
    createRandomness(seed, tenantId),
    tenantId,
    feeder,
    feederCount,
    customers,
  );
  kept.set(name, made);
  return made;
}

function createMeteredFeeder(
  random: Randomness,
  tenantId: string,
  number: number,
  feederCount: number,
  customers: Customers,
): MeteredFeeder {
  const feeder = createFeeder(random, number, feederCount, customers);
  const meters: Meter[] = [];
  return {
    id: feederId(number),
    feeder,
    weatherKey: random.key(STREAM.weather, 0),
    meter(ordinal) {
      while (meters.length <= ordinal) {
        const meter = meterNumber(number, meters.length, feederCount);
        meters.push(createNumberedMeter(random, tenantId, meter, feeder, meters.length));
      }
      return meters[ordinal] as Meter;
    },
  };
}

/** The meter with a number (1-based), which stands at `ordinal` on its feeder. */
export function createNumberedMeter(
  random: Randomness,
  tenantId: string,
  number: number,
  feeder: Feeder,
  ordinal: number,
): Meter {
  const transformer = Math.floor(ordinal / METERS_PER_TRANSFORMER);
  return createMeter(
    meterId(tenantId, number),
    createCustomer(random, number, feeder.mix),
    feeder,
    transformer,
  );
}

export function createMeter(id: string, customer: Customer, feeder: Feeder, transformer: number): Meter {
  return {
    id,
    customer,
    inPlace: null,
    model: null,
    place: null,
    transformer,
    distance: drawAt(feeder.key, STREAM.distance, transformer) / 2 ** 32,
    voltsOffset: pointOffset(customer.key),
  };
}

/** The meter's customer of this model in this place, made once and kept with the meter. */
export function placeCustomerAt(meter: Meter, model: PlaceModel, place: Place): PlaceCustomer {
  if (meter.inPlace === null || meter.model !== model || meter.place !== place) {
    const { key, customerClass } = meter.customer;
    meter.inPlace = placeCustomerOf(key, customerClass, model, place);
    meter.model = model;
    meter.place = place;
  }
  return meter.inPlace;
}

import type { Place } from '../../contracts/places.js';
import { pick } from '../chance/quantiles.js';
import { drawAt } from '../chance/random.js';
import type { CustomerClass } from '../customers/customers.js';
import { PLACES } from '../weather/places.js';
import type { HeatPumpParameters } from './derParameters.js';
import { DER_STREAM } from './derStreams.js';
import { measuredQuantiles } from './quantileTable.js';

/** Of a customer of any model, what its equipment follows from. */
export interface MeteredCustomer {
  customerClass: CustomerClass;
  /** The meter's key for `drawAt`. */
  key: number;
  /** Mean energy of a quarter hour of the year, kWh. */
  meanKwh: number;
}

export interface Roof {
  /** Peak power, kW. */
  peakKw: number;
  /** The roof's upright, east, north and up. */
  east: number;
  north: number;
  up: number;
}

export interface Car {
  /** The meter's key for `drawAt`. */
  key: number;
  /** Energy of a quarter hour at full power, kWh. */
  quarterKwh: number;
  /** Probability that a session begins on a day. */
  sessions: number;
}

export interface HeatPump {
  /** The meter's key for `drawAt`. */
  key: number;
  /** Heat that the home loses, kW per degree. */
  kwPerDegree: number;
  /** Heat per electricity at 7 °C. */
  cop: number;
  /** Power while it cycles, kW. */
  leastKw: number;
  /** Power that it cannot exceed. */
  mostKw: number;
  /** Which program of its model the house keeps, and how many quarter hours earlier, 0–95. */
  program: number;
  shift: number;
  /** Quarter hours of a cycle, and where this one's begin. */
  cycle: number;
  phase: number;
}

export interface Battery {
  capacityKwh: number;
  /** Most in or out in a quarter hour, kWh. */
  quarterKwh: number;
}

const QUARTERS_PER_YEAR = 35_064;

/** A year's yield of one kilowatt, kWh (PVGIS 5.2 and NREL PVWatts, rounded). */
const YIELD: Readonly<Record<Place, number>> = {
  'us-south': 1_480,
  'us-northeast': 1_280,
  germany: 980,
  uk: 940,
  'australia-nsw': 1_400,
};
/** A year's sun over a year's load: 0.25, 0.63 and 0.83 of 17 Californian homes at p5, p50 and p95 (docs/realism.md). */
const SUN_OVER_LOAD = measuredQuantiles([
  [0, 0.2],
  [0.05, 0.25],
  [0.5, 0.63],
  [0.95, 0.83],
  [1, 1],
]);
const PEAK_KW = { least: 1.5, most: 12 } as const;

/** Charging power at home, kW: quantiles of Norwegian sessions. */
const CAR_KW = measuredQuantiles([
  [0, 2.3],
  [0.05, 3.2],
  [0.25, 3.5],
  [0.5, 3.7],
  [0.75, 6.8],
  [0.95, 10.8],
  [1, 11],
]);
/** Sessions a week over cars: 0.8, 2.8 and 8.7 at p5, p50 and p95; here at most one a day. */
const SESSIONS = measuredQuantiles([
  [0, 0.4],
  [0.05, 0.8],
  [0.5, 2.8],
  [0.95, 6.8],
  [1, 6.9],
]);

/** Spread of the efficiency, 3.2 to 4.8 about 4.0 at p5 and p95. */
const COP = measuredQuantiles([
  [0, 2.8],
  [0.05, 3.2],
  [0.5, 4],
  [0.95, 4.8],
  [1, 5.2],
]);
const BATTERY_KWH = [5, 6.5, 10, 13.5] as const;

/** Shares of the homes from which on a home has each of these: it never depends on how many others have it. */
export const hasPvFrom = (key: number): number => share(key, DER_STREAM.hasPv);
export const hasEvFrom = (key: number): number => share(key, DER_STREAM.hasEv);
export const hasHeatPumpFrom = (key: number): number => share(key, DER_STREAM.hasHeatPump);

const share = (key: number, stream: number, step = 0): number => drawAt(key, stream, step) / 2 ** 32;

/** The roof that a home of a place has or could have. */
export function roofOf({ key, meanKwh }: MeteredCustomer, place: Place): Roof {
  const annual = meanKwh * QUARTERS_PER_YEAR;
  const peakKw = (annual * pick(SUN_OVER_LOAD, drawAt(key, DER_STREAM.roofSize, 0))) / YIELD[place];
  const { east, north, up } = upright(
    share(key, DER_STREAM.roof),
    share(key, DER_STREAM.roof, 1) + share(key, DER_STREAM.roof, 2) - 1,
    PLACES[place].latitude,
  );
  return { peakKw: Math.min(PEAK_KW.most, Math.max(PEAK_KW.least, peakKw)), east, north, up };
}

export function carOf(key: number): Car {
  return {
    key,
    quarterKwh: pick(CAR_KW, drawAt(key, DER_STREAM.carPower, 0)) / 4,
    sessions: pick(SESSIONS, drawAt(key, DER_STREAM.carUse, 0)) / 7,
  };
}

export function heatPumpOf(key: number, parameters: HeatPumpParameters): HeatPump {
  const { kwPerDegree, spread, runningKw, most, programs, shift } = parameters;
  const cycle = 2 + Math.floor(4 * share(key, DER_STREAM.heatPumpCycle));
  const size = pick(spread, drawAt(key, DER_STREAM.heatPumpSize, 0));
  const leastKw = runningKw * size ** 0.7;
  const earlier = Math.floor((2 * shift + 1) * share(key, DER_STREAM.heatPumpProgram, 1)) - shift;
  return {
    key,
    cycle,
    leastKw,
    kwPerDegree: kwPerDegree * size,
    cop: pick(COP, drawAt(key, DER_STREAM.heatPumpCop, 0)),
    mostKw: leastKw * most,
    program: Math.floor(programs.length * share(key, DER_STREAM.heatPumpProgram)),
    shift: (earlier + 96) % 96,
    phase: Math.floor(cycle * share(key, DER_STREAM.heatPumpCycle, 1)),
  };
}

export function batteryOf(key: number): Battery {
  const capacityKwh = BATTERY_KWH[drawAt(key, DER_STREAM.battery, 0) >>> 30] as number;
  return batteryOfSize(capacityKwh);
}

/** It is full or empty in two hours. */
export const batteryOfSize = (capacityKwh: number): Battery => ({
  capacityKwh,
  quarterKwh: capacityKwh * 0.125,
});

/** Roofs of 15 to 45 degrees that face the noon sun, up to 90 degrees to either side of it, fewer the further. */
export function upright(pitch: number, aside: number, latitude: number) {
  const tilt = ((15 + 30 * pitch) * Math.PI) / 180;
  const turn = (aside * Math.PI) / 2;
  const towards = latitude > 0 ? -1 : 1;
  return {
    east: Math.sin(tilt) * Math.sin(turn),
    north: towards * Math.sin(tilt) * Math.cos(turn),
    up: Math.cos(tilt),
  };
}

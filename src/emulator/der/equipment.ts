import type { Place } from '../../contracts/places.js';
import { lognormalQuantiles, pick } from '../chance/quantiles.js';
import { drawAt } from '../chance/random.js';
import type { CustomerClass } from '../customers/customers.js';
import { PLACES } from '../weather/places.js';
import { DER_STREAM } from './derStreams.js';
import { measuredQuantiles } from './quantileTable.js';

/** Of a customer of any model, what its equipment follows from. The same object is the same customer. */
export interface MeteredCustomer {
  customerClass: CustomerClass;
  key: number;
  meanKwh: number;
}

/** What one home could have behind its meter: it never changes, and does not depend on how many others have it. */
export interface Equipment {
  /** The home has it where its share of the homes is above this. */
  pvFrom: number;
  evFrom: number;
  heatPumpFrom: number;
  roof: Roof;
  car: Car;
  heatPump: HeatPump;
  battery: Battery;
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
  /** Energy of a quarter hour at full power, kWh. */
  quarterKwh: number;
  /** Probability that a session begins on a day. */
  sessions: number;
}

export interface HeatPump {
  /** Heat that the home loses, kW per degree. */
  kwPerDegree: number;
  /** Heat per electricity at 7 °C. */
  cop: number;
  /** Power while it cycles, kW. */
  leastKw: number;
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

/**
 * Heat pumps: 1,670 to 6,720 kWh a year with 3,340 at the median (310 homes in Britain), of which the heating's part over
 * some 48,000 degree hours below 15.5 °C makes 0.24 kW a degree at the median.
 */
const KW_PER_DEGREE = 0.24;
const HEAT_SPREAD = lognormalQuantiles(0.42);
/** Spread of the efficiency, 3.2 to 4.8 about 4.0 at p5 and p95. */
const COP = measuredQuantiles([
  [0, 2.8],
  [0.05, 3.2],
  [0.5, 4],
  [0.95, 4.8],
  [1, 5.2],
]);
/** Power while running: 0.97 kW at the median. */
const RUNNING_KW = 0.97;

const BATTERY_KWH = [5, 6.5, 10, 13.5] as const;

const made = new Map<Place, WeakMap<MeteredCustomer, Equipment>>();

/** What the homes of a place have or could have: each home's is made once. */
export function equipmentAt(place: Place): (home: MeteredCustomer) => Equipment {
  let homes = made.get(place);
  if (homes === undefined) {
    homes = new WeakMap();
    made.set(place, homes);
  }
  const kept = homes;
  return (home) => {
    let equipment = kept.get(home);
    if (equipment === undefined) {
      equipment = makeEquipment(home, place);
      kept.set(home, equipment);
    }
    return equipment;
  };
}

function makeEquipment({ key, meanKwh }: MeteredCustomer, place: Place): Equipment {
  const draw = (stream: number, step = 0) => drawAt(key, stream, step);
  const share = (stream: number, step = 0) => draw(stream, step) / 2 ** 32;
  const annual = meanKwh * QUARTERS_PER_YEAR;
  const peakKw = (annual * pick(SUN_OVER_LOAD, draw(DER_STREAM.roofSize))) / YIELD[place];
  const cycle = 2 + Math.floor(4 * share(DER_STREAM.heatPumpCycle));
  const size = pick(HEAT_SPREAD, draw(DER_STREAM.heatPumpSize));
  const capacityKwh = BATTERY_KWH[draw(DER_STREAM.battery) >>> 30] as number;
  return {
    pvFrom: share(DER_STREAM.hasPv),
    evFrom: share(DER_STREAM.hasEv),
    heatPumpFrom: share(DER_STREAM.hasHeatPump),
    roof: {
      peakKw: Math.min(PEAK_KW.most, Math.max(PEAK_KW.least, peakKw)),
      ...upright(
        share(DER_STREAM.roof),
        share(DER_STREAM.roof, 1) + share(DER_STREAM.roof, 2) - 1,
        PLACES[place].latitude,
      ),
    },
    car: {
      quarterKwh: pick(CAR_KW, draw(DER_STREAM.carPower)) / 4,
      sessions: pick(SESSIONS, draw(DER_STREAM.carUse)) / 7,
    },
    heatPump: {
      kwPerDegree: KW_PER_DEGREE * size,
      cop: pick(COP, draw(DER_STREAM.heatPumpCop)),
      leastKw: RUNNING_KW * size ** 0.7,
      cycle,
      phase: Math.floor(cycle * share(DER_STREAM.heatPumpCycle, 1)),
    },
    battery: { capacityKwh, quarterKwh: capacityKwh * 0.125 },
  };
}

/** Roofs of 15 to 45 degrees that face the noon sun, up to 90 degrees to either side of it, fewer the further. */
function upright(pitch: number, aside: number, latitude: number) {
  const tilt = ((15 + 30 * pitch) * Math.PI) / 180;
  const turn = (aside * Math.PI) / 2;
  const towards = latitude > 0 ? -1 : 1;
  return {
    east: Math.sin(tilt) * Math.sin(turn),
    north: towards * Math.sin(tilt) * Math.cos(turn),
    up: Math.cos(tilt),
  };
}

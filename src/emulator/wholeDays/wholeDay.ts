import type { BehindMeters, Neighbours } from '../der/behindMeter.js';
import { type Meter, type MeterRun, placeCustomerAt, syntheticRuns } from '../fleet/meters.js';
import { type RegistryBatch, registryRuns } from '../fleet/registryMeters.js';
import type { SyntheticFleet } from '../fleet/syntheticFleet.js';
import { type Expected, neighboursOf } from '../flows.js';
import { SERVICE_RANGE_A } from '../grid/qualityFlags.js';
import { behindOf, expectedOf, type ReadsScene } from '../reads.js';
import type { Trade } from '../trade/trade.js';
import { customerScratch, customersDay, fillCustomer } from './customersOfDay.js';
import { disturb, feederDay, type MeterDay, measure, meterDay, transformerDay, turnTo } from './gridOfDay.js';
import { fillHome, homesDay } from './homesOfDay.js';
import { fillTrade, tradeDay } from './tradeOfDay.js';

/** So many intervals one after the other, from `readAt` on; the meters are said elsewhere. */
export interface DayScene extends ReadsScene {
  intervals: number;
}

/**
 * Reads as whole numbers, meter after meter and each by time: the read of meter m in interval s is at `m × intervals + s`.
 * Energy is in 0.1 Wh, voltage in 0.1 V.
 */
export interface WholeDay {
  meterIds: readonly string[];
  intervals: number;
  kwh: Int32Array;
  deliveredKwh: Int32Array;
  voltage: Int32Array;
  /** 0 without a flag, 1 of a low voltage, 2 of a high one. */
  flags: Uint8Array;
  /** What was fed into the grid; left out where no meter may have that channel. */
  received?: Received;
}

export interface Received {
  kwh: Int32Array;
  /** 1 for each meter that has the channel. */
  isMetered: Uint8Array;
}

/** Whole units of a kWh and of a volt. */
export const ENERGY = 10_000;
const VOLTS = 10;
const LOWEST = SERVICE_RANGE_A.min * VOLTS;
const HIGHEST = SERVICE_RANGE_A.max * VOLTS;

/**
 * Generates whole days of the meters at positions `[from, to)` of a fleet's roster, at a fraction of the cost of one interval
 * after the other, and the same to the last digit: what a day's intervals have in common is worked out once.
 *
 * @throws RangeError when the IANA database has no such time zone.
 */
export function generateWholeDay(scene: DayScene, fleet: SyntheticFleet, from: number, to: number): WholeDay {
  return dayOf(scene, syntheticRuns(scene.seed, scene.tenantId, fleet, from, to, scene.customers));
}

/**
 * The same for meters of a registry.
 *
 * @throws RangeError when the IANA database has no such time zone.
 */
export function generateRegistryDay(scene: DayScene, batch: RegistryBatch): WholeDay {
  return dayOf(scene, registryRuns(scene.seed, scene.tenantId, batch, scene.customers));
}

function dayOf(scene: DayScene, runs: readonly MeterRun[]): WholeDay {
  const { intervals } = scene;
  const quarters = scene.intervalMinutes / 15;
  const meters = runs.reduce((sum, { count }) => sum + count, 0);
  const meterIds: string[] = [];
  const day = emptyDay(meterIds, meters, intervals, scene.der?.pv ? meters : 0);
  const [anyRun] = runs;
  if (anyRun === undefined) return day;
  const { weatherKey } = anyRun.on;
  const customers = customersOf(scene, intervals * quarters, weatherKey);
  const { expectation } = customers.expected;
  const behind = behindOf(scene, weatherKey, expectation);
  const passing = meterDay(expectation.slots);
  for (const run of runs) {
    const { on, first, count } = run;
    const feeder = feederDay(on.feeder, weatherKey, expectation);
    const transformer = transformerDay(feeder.slots);
    const neighbours = neighboursOf(run, customers.expected);
    for (let ordinal = first; ordinal < first + count; ordinal += 1) {
      const meter = on.meter(ordinal);
      const at = meterIds.length;
      const meanKwh = customers.fill(passing.net, meter);
      disturb(passing.net, feeder);
      behind?.pass(passing.net, { ...neighbours, first: ordinal, count: 1 });
      turnTo(transformer, feeder, meter);
      measure(passing, meter, meanKwh, transformer, feeder);
      register(day, at * intervals, passing, quarters);
      meterIds.push(meter.id);
    }
    if (day.received) markFeedingIn(day.received, behind, neighbours, meterIds.length - count);
  }
  return day;
}

function emptyDay(meterIds: string[], meters: number, intervals: number, metered: number): WholeDay {
  const size = meters * intervals;
  return {
    meterIds,
    intervals,
    kwh: new Int32Array(size),
    deliveredKwh: new Int32Array(size),
    voltage: new Int32Array(size),
    flags: new Uint8Array(size),
    ...(metered > 0 && {
      received: { kwh: new Int32Array(size), isMetered: new Uint8Array(metered) },
    }),
  };
}

/** The customers of a scene's model. */
interface Customers {
  expected: Expected;
  /** Fills in what a meter's customer draws in each quarter hour; its mean energy of one, kWh. */
  fill(into: Float64Array, meter: Meter): number;
}

function customersOf(scene: DayScene, slots: number, weatherKey: number): Customers {
  const expected = expectedOf(scene, slots, weatherKey);
  const { expectation, inPlace } = expected;
  if (inPlace !== null) {
    const { model, place } = inPlace;
    const [homes, trade] = [homesDay(inPlace), tradeDay(inPlace)];
    return {
      expected,
      fill(into, meter) {
        const customer = placeCustomerAt(meter, model, place);
        if (customer.home !== null) fillHome(into, customer.home, homes);
        else fillTrade(into, customer.trade as Trade, trade);
        return customer.meanKwh;
      },
    };
  }
  const day = customersDay(expectation);
  const scratch = customerScratch(day);
  return {
    expected,
    fill(into, { customer }) {
      fillCustomer(into, customer, day, scratch);
      return customer.meanKwh;
    },
  };
}

/** @param from place in the day of the first of these meters. */
function markFeedingIn(
  { isMetered }: Received,
  behind: BehindMeters | undefined,
  meters: Neighbours,
  from: number,
): void {
  behind?.eachFeedingIn(meters, (place) => {
    isMetered[from + place] = 1;
  });
}

/** Adds up the quarter hours of each interval, in their order, and rounds. */
function register(
  { kwh, deliveredKwh, voltage, flags, received, intervals }: WholeDay,
  first: number,
  { net, delivered, volts }: MeterDay,
  quarters: number,
): void {
  let at = 0;
  for (let place = first; place < first + intervals; place += 1) {
    let drawn = 0;
    let fed = 0;
    let reached = 0;
    let sum = 0;
    for (const end = at + quarters; at < end; at += 1) {
      const flow = net[at] as number;
      const inwards = Math.max(0, flow);
      drawn += inwards;
      fed += inwards - flow;
      reached += delivered[at] as number;
      sum += volts[at] as number;
    }
    const volt = Math.round((sum / quarters) * VOLTS);
    kwh[place] = Math.round(drawn * ENERGY);
    if (received) received.kwh[place] = Math.round(fed * ENERGY);
    deliveredKwh[place] = Math.round(reached * ENERGY);
    voltage[place] = volt;
    flags[place] = volt < LOWEST ? 1 : volt > HIGHEST ? 2 : 0;
  }
}

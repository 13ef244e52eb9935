/**
 * Room: emulator. Promises: a read follows from seed, tenant, meter, interval and events alone, whatever batch,
 * process or order made it.
 */

import { type Customers, type Der, FIRST_MODEL, hasPlace, type Model } from '../contracts/emulation.js';
import type { IntervalMinutes } from '../contracts/limits.js';
import { type Climate, DEFAULT_CLIMATE } from '../contracts/place.js';
import { DEFAULT_PLACE, type Place } from '../contracts/places.js';
import { type Expectation, expectationAround } from './customers/expectation.js';
import { QUARTER_HOUR_MS } from './customers/localTime.js';
import { type BehindMeters, behindMeters } from './der/behindMeter.js';
import { type Meter, type MeterRun, syntheticRuns } from './fleet/meters.js';
import { type RegistryBatch, registryRuns } from './fleet/registryMeters.js';
import type { SyntheticFleet } from './fleet/syntheticFleet.js';
import { type Expected, type Flows, flowsOf } from './flows.js';
import { type FeederQuarter, feederQuarter } from './grid/feeder.js';
import { deliveredKwh } from './grid/losses.js';
import { type QualityFlag, voltageFlags } from './grid/qualityFlags.js';
import { lineVoltage, ownDrop, serviceVoltage } from './grid/voltage.js';
import { anomalyVolts } from './grid/voltageAnomalies.js';
import { expectedScene } from './placeModels.js';

/** Which reads to generate; the meters are said elsewhere. */
export interface ReadsScene {
  tenantId: string;
  seed: string;
  /** Start of the interval, aligned. */
  readAt: Date;
  intervalMinutes: IntervalMinutes;
  /** Zone of the IANA database by whose clock the customers live, daylight saving included; UTC by default. */
  timeZone?: string;
  /** How load goes through the year; as in the US by default. */
  climate?: Climate;
  /** The model of customers: 1 by default. The others follow the weather and the calendar of a place. */
  model?: Model;
  place?: Place;
  /** Shares of trade and industry among the customers; the usual ones by default. */
  customers?: Customers;
  /** Shares of homes with something behind the meter; none by default. */
  der?: Der;
}

/** Reads of the meters at positions `[from, to)` of a synthetic fleet's roster. */
export interface ReadsRequest extends ReadsScene {
  fleet: SyntheticFleet;
  from: number;
  to: number;
}

/** Reads as columns with one entry per read, as the write path wants them. */
export interface ReadColumns {
  meterIds: string[];
  feederIds: string[];
  /** Energy registered by the meter in the interval, kWh, to 0.1 Wh. */
  kwh: number[];
  /** Energy the utility's side measured as delivered in the interval, kWh, to 0.1 Wh. */
  deliveredKwh: number[];
  /** Service voltage, volts, to 0.1 V. */
  voltage: number[];
  qualityFlags: (readonly QualityFlag[])[];
  /**
   * Energy that the meter registered as fed into the grid, kWh, to 0.1 Wh; null of a meter without that channel. Left out where
   * no meter has one.
   */
  receivedKwh?: (number | null)[];
}

export function emptyColumns(): ReadColumns {
  return { meterIds: [], feederIds: [], kwh: [], deliveredKwh: [], voltage: [], qualityFlags: [] };
}

/** The reads at these places alone, in new columns. */
export function readsAtPlaces(columns: ReadColumns, places: readonly number[]): ReadColumns {
  const of = <Value>(values: readonly Value[]): Value[] => places.map((place) => values[place] as Value);
  return {
    meterIds: of(columns.meterIds),
    feederIds: of(columns.feederIds),
    kwh: of(columns.kwh),
    deliveredKwh: of(columns.deliveredKwh),
    voltage: of(columns.voltage),
    qualityFlags: of(columns.qualityFlags),
    ...(columns.receivedKwh && { receivedKwh: of(columns.receivedKwh) }),
  };
}

/** Zone of a request that names none. */
const DEFAULT_TIME_ZONE = 'UTC';

/**
 * Generates the reads of one batch of the synthetic fleet. Pure: each read depends on (seed, tenant, meter, readAt),
 * interval, feeder, zone and climate, never on the batch that it comes in (D18).
 *
 * @throws RangeError when the IANA database has no such time zone.
 */
export function generateReads(request: ReadsRequest): ReadColumns {
  const { seed, tenantId, fleet, from, to, customers } = request;
  return readsOf(request, syntheticRuns(seed, tenantId, fleet, from, to, customers));
}

/**
 * The same for meters of a registry.
 *
 * @throws RangeError when the IANA database has no such time zone.
 */
export function generateRegistryReads(scene: ReadsScene, batch: RegistryBatch): ReadColumns {
  return readsOf(scene, registryRuns(scene.seed, scene.tenantId, batch, scene.customers));
}

function readsOf(scene: ReadsScene, runs: readonly MeterRun[]): ReadColumns {
  const expected = expectedOf(scene, scene.intervalMinutes / 15, runs[0]?.on.weatherKey ?? 0);
  const { expectation } = expected;
  const columns = emptyColumns();
  const received: (number | null)[] | null = scene.der?.pv ? withoutChannel(runs) : null;
  if (received !== null) columns.receivedKwh = received;
  const [anyRun] = runs;
  const behind = anyRun && behindOf(scene, anyRun.on.weatherKey, expectation);
  for (const run of runs) {
    const { on } = run;
    const { id, feeder, weatherKey } = on;
    const quarters = Array.from({ length: expectation.slots }, (_, index) =>
      feederQuarter(feeder, weatherKey, expectation.firstSlot + index, expectation),
    );
    const flows = flowsOf(run, quarters, expected, behind);
    if (received !== null) fillReceived(received, columns.kwh.length, flows, quarters.length);
    for (let place = 0; place < run.count; place += 1)
      pushRead(columns, id, on.meter(run.first + place), quarters, flows.net, flows.meanKwh, place);
  }
  return columns;
}

/**
 * What is expected of a scene's customers in so many quarter hours from its instant on, and of customers of a
 * place all that they have in common.
 */
export function expectedOf(scene: ReadsScene, slots: number, weatherKey: number): Expected {
  const timeZone = scene.timeZone ?? DEFAULT_TIME_ZONE;
  const firstSlot = scene.readAt.getTime() / QUARTER_HOUR_MS;
  if (hasPlace(scene.model)) {
    const inPlace = expectedScene(
      scene.model,
      scene.place ?? DEFAULT_PLACE,
      timeZone,
      firstSlot,
      slots,
      weatherKey,
    );
    return { expectation: inPlace.expectation, inPlace };
  }
  const climate = scene.climate ?? DEFAULT_CLIMATE;
  return { expectation: expectationAround(timeZone, climate, firstSlot, slots), inPlace: null };
}

/** What stands behind the meters; all runs of a batch are of one tenant, and so of one weather. */
export function behindOf(
  scene: Pick<ReadsScene, 'der' | 'model' | 'place' | 'climate' | 'timeZone'>,
  weatherKey: number,
  expectation: Expectation,
): BehindMeters | undefined {
  const { der, place } = scene;
  if (der === undefined || Object.keys(der).length === 0) return undefined;
  return behindMeters({
    ...{ der, place, weatherKey },
    model: scene.model ?? FIRST_MODEL,
    climate: scene.climate ?? DEFAULT_CLIMATE,
    timeZone: scene.timeZone ?? DEFAULT_TIME_ZONE,
    firstSlot: expectation.firstSlot,
    slots: expectation.slots,
  });
}

/**
 * One meter's read. An hourly read is the sum of its four quarter hours, at the mean of their voltages, so
 * that both cadences tell the same story.
 */
function pushRead(
  columns: ReadColumns,
  feederId: string,
  meter: Meter,
  quarters: readonly FeederQuarter[],
  flows: Float64Array,
  means: Float64Array,
  place: number,
): void {
  const { key } = meter.customer;
  const meanKwh = means[place] as number;
  let at = place * quarters.length;
  let kwh = 0;
  let delivered = 0;
  let volts = 0;
  for (const quarter of quarters) {
    const { slot } = quarter;
    const net = flows[at] as number;
    at += 1;
    const drawn = Math.max(0, net);
    kwh += drawn;
    delivered += deliveredKwh(drawn, quarter.lossFraction, meter.distance, key, slot);
    const anomaly = anomalyVolts(quarter.feederKey, meter.transformer, slot);
    const line = anomaly || lineVoltage(quarter.headVolts, quarter.farEndDrop, meter.distance);
    volts += serviceVoltage(line, meter.voltsOffset, key, slot) - (anomaly ? 0 : ownChange(net / meanKwh));
  }
  const voltage = Math.round((volts / quarters.length) * 10) / 10;
  columns.meterIds.push(meter.id);
  columns.feederIds.push(feederId);
  columns.kwh.push(Math.round(kwh * 10_000) / 10_000);
  columns.deliveredKwh.push(Math.round(delivered * 10_000) / 10_000);
  columns.voltage.push(voltage);
  columns.qualityFlags.push(voltageFlags(voltage));
}

/** A place for each meter: null, unless it has the channel. */
function withoutChannel(runs: readonly MeterRun[]): (number | null)[] {
  return new Array(runs.reduce((sum, { count }) => sum + count, 0)).fill(null);
}

/** @param first place of the first of these meters in the column. */
function fillReceived(
  into: (number | null)[],
  first: number,
  { net, feedsIn }: Flows,
  quarters: number,
): void {
  for (let place = 0; place < feedsIn.length; place += 1) {
    if (feedsIn[place] === 0) continue;
    let received = 0;
    for (let at = place * quarters; at < (place + 1) * quarters; at += 1) {
      const flow = net[at] as number;
      received += Math.max(0, flow) - flow;
    }
    into[first + place] = Math.round(received * 10_000) / 10_000;
  }
}

/** What flows in lowers the voltage on the customer's own line, and what flows out raises it by as much. */
function ownChange(ownLoad: number): number {
  return ownLoad >= 0 ? ownDrop(ownLoad) : -ownDrop(-ownLoad);
}

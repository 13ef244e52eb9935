import { DEFAULT_FEEDER_COUNT } from '../../contracts/defaults.js';
import type { Customers } from '../../contracts/emulation.js';
import { MAX_FEEDER_COUNT, MIN_FEEDER_COUNT } from '../../contracts/limits.js';
import { createRandomness, drawAt, type Randomness, STREAM, subjectOf } from '../chance/random.js';
import { createCustomer } from '../customers/consumption.js';
import { createFeeder, createNamedFeeder, type Feeder } from '../grid/feeder.js';
import { createMeter, createNumberedMeter, type Meter, type MeterRun } from './meters.js';
import { feederId, meterNumberOf } from './syntheticFleet.js';

/**
 * Meters of a registry. What a meter is like follows from its id, its feeder's id and `syntheticFeederCount` alone,
 * never from its position or from other meters, so that meters and feeders can come and go without changing the reads
 * of others. A meter whose name and feeder are those of a meter of the synthetic fleet is that meter: both modes then
 * make the same reads.
 */

/**
 * Some of a registry fleet's meters, in the order of its roster. Never altered, since what is made from it is kept with
 * it.
 */
export interface RegistryBatch {
  /** Size in feeders of the synthetic fleet that these meters are named after; null when they are not. */
  syntheticFeederCount: number | null;
  /** Neighbours on one feeder together. */
  runs: readonly { feederId: string; meterIds: readonly string[] }[];
}

/** Transformers on a feeder of no known length: about 1,000 meters' worth, and whole laterals. */
const TRANSFORMERS = 128;

/** Meters made from a batch, kept with it at 250 bytes per meter: making one takes half of the time of its read. */
const kept = new WeakMap<RegistryBatch, { name: string; runs: MeterRun[] }>();

/** The batch's meters, to be read. */
export function registryRuns(
  seed: string,
  tenantId: string,
  batch: RegistryBatch,
  customers: Customers = {},
): MeterRun[] {
  const name = JSON.stringify([seed, tenantId, customers.commercial, customers.industrial]);
  const found = kept.get(batch);
  if (found?.name === name) return found.runs;
  const random = createRandomness(seed, tenantId);
  const runs = batch.runs.flatMap((run) =>
    createRuns(random, tenantId, run, batch.syntheticFeederCount, customers),
  );
  kept.set(batch, { name, runs });
  return runs;
}

/** More than one run where synthetic meters stand beside others: the feeder is then another for them. */
function createRuns(
  random: Randomness,
  tenantId: string,
  run: RegistryBatch['runs'][number],
  feederCount: number | null,
  customers: Customers,
): MeterRun[] {
  const weatherKey = random.key(STREAM.weather, 0);
  const named = createNamedFeeder(random, run.feederId, customers);
  let numbered: Feeder | undefined;
  const runs: { feeder: Feeder; meters: Meter[] }[] = [];
  for (const id of run.meterIds) {
    const place = syntheticPlace(tenantId, id, run.feederId, feederCount);
    let feeder = named;
    if (place) {
      numbered ??= createFeeder(random, place.feeder, place.feederCount, customers);
      feeder = numbered;
    }
    const meter = place
      ? createNumberedMeter(random, tenantId, place.meter, feeder, place.ordinal)
      : createNamedMeter(random, id, feeder);
    const last = runs.at(-1);
    if (last?.feeder === feeder) last.meters.push(meter);
    else runs.push({ feeder, meters: [meter] });
  }
  return runs.map(({ feeder, meters }) => ({
    on: { id: run.feederId, feeder, weatherKey, meter: (ordinal) => meters[ordinal] as Meter },
    first: 0,
    count: meters.length,
  }));
}

function createNamedMeter(random: Randomness, id: string, feeder: Feeder): Meter {
  const customer = createCustomer(random, subjectOf(id), feeder.mix);
  const transformer = Math.floor((drawAt(customer.key, STREAM.transformer, 0) / 2 ** 32) * TRANSFORMERS);
  return createMeter(id, customer, feeder, transformer);
}

/**
 * Number and place of the synthetic meter with this id; undefined when there is none, or when it is on another feeder.
 */
function syntheticPlace(
  tenantId: string,
  id: string,
  onFeeder: string,
  feederCount: number | null,
): { meter: number; feeder: number; feederCount: number; ordinal: number } | undefined {
  const meter = feederCount === null ? undefined : meterNumberOf(tenantId, id);
  if (meter === undefined || feederCount === null) return undefined;
  const feeder = ((meter - 1) % feederCount) + 1;
  if (feederId(feeder) !== onFeeder) return undefined;
  return { meter, feeder, feederCount, ordinal: Math.floor((meter - 1) / feederCount) };
}

/**
 * The size in feeders of the synthetic fleet that a registry's meters are named after: the size that puts the most
 * meters on the feeder that they are on. Among several such sizes it is the default, else the smallest; null when no
 * size puts any meter there. A few meters that were moved or added by hand do not change the answer.
 *
 * @param meters at least those whose ids `meterId` could give.
 */
export function syntheticFeederCount(
  tenantId: string,
  meters: readonly { meterId: string; feederId: string }[],
): number | null {
  const fits = new Map<number, number>();
  for (const meter of meters) {
    const number = meterNumberOf(tenantId, meter.meterId);
    const feeder = Number(/^FEEDER_([1-9]\d?)$/.exec(meter.feederId)?.[1]);
    if (number === undefined || Number.isNaN(feeder)) continue;
    for (let count = MIN_FEEDER_COUNT; count <= MAX_FEEDER_COUNT; count += 1) {
      if (((number - 1) % count) + 1 === feeder) fits.set(count, (fits.get(count) ?? 0) + 1);
    }
  }
  const most = Math.max(0, ...fits.values());
  const best = [...fits].filter(([, fitting]) => fitting === most).map(([count]) => count);
  if (best.length === 0) return null;
  return best.includes(DEFAULT_FEEDER_COUNT) ? DEFAULT_FEEDER_COUNT : Math.min(...best);
}

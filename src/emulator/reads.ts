import type { IntervalMinutes } from '../contracts/limits.js';
import { feederId, feederRuns, meterId, meterNumber, type SyntheticFleet } from './fleet.js';
import { baselineKwh } from './load.js';
import { deliveredKwh, feederLossFactor } from './losses.js';
import { customerSize, loadNoise } from './noise.js';
import { type QualityFlag, voltageFlags } from './qualityFlags.js';
import { createRandomness, type Randomness } from './random.js';
import { serviceVoltage } from './voltage.js';

/** Which reads to generate: the meters at positions `[from, to)` of a fleet's line, at one `readAt`. */
export interface ReadsRequest {
  tenantId: string;
  seed: string;
  fleet: SyntheticFleet;
  from: number;
  to: number;
  /** Start of the interval, aligned. */
  readAt: Date;
  intervalMinutes: IntervalMinutes;
}

/** Reads as columns, one entry a read in each, as the write path wants them. */
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
}

const QUARTER_HOUR_MS = 15 * 60_000;

/**
 * Generates the reads of one batch. Pure: each read depends on (seed, tenant, meter, readAt) and on the
 * interval and feeder it is asked for, never on the batch it comes in (decision 18).
 */
export function generateReads(request: ReadsRequest): ReadColumns {
  const { tenantId, fleet, readAt, intervalMinutes } = request;
  const random = createRandomness(request.seed, tenantId);
  const firstSlot = readAt.getTime() / QUARTER_HOUR_MS;
  const quarters = Array.from({ length: intervalMinutes / 15 }, (_, index) => ({
    slot: firstSlot + index,
    baseline: baselineKwh(hourOfDayUtc((firstSlot + index) * QUARTER_HOUR_MS)),
  }));
  const columns: ReadColumns = {
    meterIds: [],
    feederIds: [],
    kwh: [],
    deliveredKwh: [],
    voltage: [],
    qualityFlags: [],
  };
  for (const run of feederRuns(fleet, request.from, request.to)) {
    const feeder = feederId(run.feeder);
    const lossFactor = feederLossFactor(random, run.feeder);
    for (let index = 0; index < run.count; index += 1) {
      const meter = meterNumber(run.feeder, run.firstOrdinal + index, fleet.feederCount);
      const read = meterRead(random, meter, lossFactor, quarters);
      columns.meterIds.push(meterId(tenantId, meter));
      columns.feederIds.push(feeder);
      columns.kwh.push(read.kwh);
      columns.deliveredKwh.push(read.delivered);
      columns.voltage.push(read.volts);
      columns.qualityFlags.push(voltageFlags(read.volts));
    }
  }
  return columns;
}

/**
 * One meter's read. An hourly read is the sum of its four quarter hours, at the mean of their voltages, so
 * that both cadences tell the same story.
 */
function meterRead(
  random: Randomness,
  meter: number,
  lossFactor: number,
  quarters: readonly { slot: number; baseline: number }[],
): { kwh: number; delivered: number; volts: number } {
  const size = customerSize(random, meter);
  let kwh = 0;
  let delivered = 0;
  let volts = 0;
  for (const { slot, baseline } of quarters) {
    const consumed = baseline * size * loadNoise(random, meter, slot);
    kwh += consumed;
    delivered += deliveredKwh(random, consumed, lossFactor, meter, slot);
    volts += serviceVoltage(random, meter, slot);
  }
  return {
    kwh: Math.round(kwh * 10_000) / 10_000,
    delivered: Math.round(delivered * 10_000) / 10_000,
    volts: Math.round((volts / quarters.length) * 10) / 10,
  };
}

function hourOfDayUtc(ms: number): number {
  return (ms / 3_600_000) % 24;
}

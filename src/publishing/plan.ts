import {
  type IntervalMinutes,
  MAX_BATCH_SIZE,
  MAX_FEEDER_COUNT,
  MAX_JOBS_PER_PUBLISH,
  MAX_JOBS_PER_TICK,
  MAX_METER_COUNT,
  MIN_FEEDER_COUNT,
} from '../contracts/limits.js';
import type { SyntheticFleet } from '../emulator/fleet/syntheticFleet.js';
import { batchCount } from '../ledger/batchRange.js';

/** How many jobs one publish may enqueue, and what the limit is called in a warning. */
export interface JobLimit {
  by: string;
  jobs: number;
}
export const PUBLISH_JOBS: JobLimit = { by: 'a publish', jobs: MAX_JOBS_PER_PUBLISH };
/** For automatic publishes: ticks, catch-up and backfill. */
export const TICK_JOBS: JobLimit = { by: 'a tick', jobs: MAX_JOBS_PER_TICK };

/** What a caller asked for, in well-formed positive integers that are not yet held to the caps. */
export interface PlanRequest {
  intervalMinutes: IntervalMinutes;
  batchSize: number;
  meterCount: number;
  feederCount: number;
}

export interface PublishPlan {
  fleet: SyntheticFleet;
  batchSize: number;
  batchCount: number;
  /** One sentence per cap that was applied: from what, to what, why. */
  safetyWarnings: string[];
}

/**
 * Holds a request to the caps and cuts its fleet into batches (D3, D10): always
 * `ceil(meterCount / batchSize)` batches, at most 500 meters each and at most as many as `limit` says (200 for a
 * publish, 50 for a tick), for which `meterCount` is truncated.
 */
export function planPublish(request: PlanRequest, limit = PUBLISH_JOBS): PublishPlan {
  const safetyWarnings: string[] = [];
  const lowered = capper(safetyWarnings);
  let { feederCount, meterCount } = request;
  const batchSize = cappedBatchSize(request.batchSize, lowered);
  if (feederCount < MIN_FEEDER_COUNT || feederCount > MAX_FEEDER_COUNT) {
    const nearest = feederCount < MIN_FEEDER_COUNT ? MIN_FEEDER_COUNT : MAX_FEEDER_COUNT;
    const why = `a fleet has between ${MIN_FEEDER_COUNT} and ${MAX_FEEDER_COUNT} feeders`;
    feederCount = lowered('feederCount', feederCount, nearest, why);
  }
  meterCount = cappedMeterCount(meterCount, batchSize, lowered, limit);
  return {
    fleet: { meterCount, feederCount },
    batchSize,
    batchCount: batchCount(meterCount, batchSize),
    safetyWarnings,
  };
}

/** Answers `to`, and adds a warning that says so. */
export type Lowered = (name: string, from: number, to: number, why: string) => number;

export function capper(safetyWarnings: string[]): Lowered {
  return (name, from, to, why) => {
    safetyWarnings.push(`${name} was ${to < from ? 'lowered' : 'raised'} from ${from} to ${to}: ${why}.`);
    return to;
  };
}

export function cappedBatchSize(batchSize: number, lowered: Lowered): number {
  if (batchSize <= MAX_BATCH_SIZE) return batchSize;
  return lowered('batchSize', batchSize, MAX_BATCH_SIZE, `a job carries at most ${MAX_BATCH_SIZE} meters`);
}

export function cappedMeterCount(
  asked: number,
  batchSize: number,
  lowered: Lowered,
  limit: JobLimit,
): number {
  const covered =
    asked > MAX_METER_COUNT
      ? lowered('meterCount', asked, MAX_METER_COUNT, `a publish covers at most ${MAX_METER_COUNT} meters`)
      : asked;
  const room = limit.jobs * batchSize;
  if (covered <= room) return covered;
  const why = `${limit.by} enqueues at most ${limit.jobs} jobs, of ${batchSize} meters each`;
  return lowered('meterCount', covered, room, why);
}

/** How long `reads` reads take at `readsPerSecond`, in seconds, rounded up to a tenth. */
export function estimateRuntimeSeconds(reads: number, readsPerSecond: number): number {
  return Math.ceil((reads / readsPerSecond) * 10) / 10;
}

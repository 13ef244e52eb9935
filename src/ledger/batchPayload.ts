import type { BatchJobPayload } from '../contracts/batchJob.js';
import { canonicalEmulation, type Emulation, FIRST_EMULATION, inTime } from '../contracts/emulation.js';
import { MAX_BATCH_SIZE } from '../contracts/limits.js';
import { batchRange } from './batchRange.js';
import { isMadeAlike } from './emulationColumns.js';
import type { PublishRecord } from './publishLedger.js';

/**
 * The job of one batch of a publish. It is made from what the ledger records alone, so a job that is enqueued
 * again after the queue was lost equals the first one.
 */
export function batchPayload(publish: PublishRecord, batch: number): BatchJobPayload {
  const { importId } = publish;
  return {
    publishId: publish.publishId,
    batch,
    tenantId: publish.tenantId,
    readAt: publish.readAt.toISOString(),
    intervalMinutes: publish.intervalMinutes,
    seed: publish.seed,
    ...(importId == null ? emulatedRoster(publish) : { importId }),
    ...batchRange(publish, batch),
    timeZone: publish.timeZone,
    climate: publish.climate,
    onConflict: publish.onConflict,
    ...(publish.requestId === null ? {} : { requestId: publish.requestId }),
  };
}

function emulatedRoster(publish: PublishRecord) {
  const emulation = arrivingEmulation(publish);
  if (isMadeAlike(emulation, FIRST_EMULATION)) return lateOrNot(publish);
  const { place, ...made } = canonicalEmulation(emulation);
  return { emulated: { ...made, ...(place === null ? {} : { place }), ...lateOrNot(publish) } };
}

/** What is filled in of the past is all there at once, and what overwrites an interval brings its late reads with it. */
function arrivingEmulation({ origin, onConflict, emulation = FIRST_EMULATION }: PublishRecord): Emulation {
  return origin === 'backfill' || onConflict === 'update' ? inTime(emulation) : emulation;
}

function lateOrNot({ snapshotId, meterCount, feederCount, lateAsOf, knownAt }: PublishRecord) {
  const roster =
    snapshotId === null ? { fleet: { meterCount, feederCount } } : { fleetId: snapshotId, meterCount };
  if (lateAsOf == null || knownAt == null) return roster;
  return { late: { ...roster, asOf: lateAsOf.toISOString(), knownAt: knownAt.toISOString() } };
}

type Carried = Pick<PublishRecord, 'origin' | 'batchSize'>;

/**
 * How many consecutive batches one job of the queue carries: in a backfill as many as a full batch has meters, else one.
 * Postgres as queue spends nearly half as much on a job as on the write of a batch of 25
 * (docs/decisions/0011-jobs-of-several-batches.md).
 */
export function batchesPerJob({ origin, batchSize }: Carried): number {
  return origin === 'backfill' ? Math.max(1, Math.floor(MAX_BATCH_SIZE / batchSize)) : 1;
}

/** The number of the first batch of the job that carries a batch. */
export function firstOfJob(publish: Carried, batch: number): number {
  return batch - (batch % batchesPerJob(publish));
}

/** The job that carries a batch, with all the batches that it carries. */
export function carryingPayload(publish: PublishRecord, batch: number): BatchJobPayload {
  const first = firstOfJob(publish, batch);
  const last = Math.min(first + batchesPerJob(publish), publish.batchCount) - 1;
  const payload = batchPayload(publish, first);
  return last > first ? { ...payload, last: { batch: last, to: batchRange(publish, last).to } } : payload;
}

import type { BatchJob } from '../contracts/batchJob.js';
import { type Database, type Queryable, withTransaction } from '../db.js';
import { intervalEnd } from '../emulator/intervals.js';
import { overlappingEvents } from '../stores/events.js';
import { type BatchOutcome, lockRevisions, writeBatch } from '../stores/meterReads.js';
import { failBatch, isOwed } from '../stores/publishLedger.js';
import { batchFeederIds, generateBatch } from './amiEmulator.js';
import { createFleetBatches, type FleetBatches, registryMeters } from './fleetBatches.js';
import type { StartPacer } from './startPacer.js';

export interface BatchResult extends BatchOutcome {
  /** Whether another run had finished the batch before, or it was cancelled: then nothing was written. */
  alreadyFinished: boolean;
  /** From the batch's start to the end of its write, ms; waiting for its turn is not counted. */
  elapsedMs: number;
}

const ALREADY_FINISHED: BatchResult = {
  inserted: 0,
  updated: 0,
  duplicate: 0,
  skipped: 0,
  alreadyFinished: true,
  elapsedMs: 0,
};

/** Runs one batch: waits for its turn under the read limit, generates its reads with the events, writes them. */
export function createBatchRunner(database: Database, pacer: StartPacer) {
  const fleetBatches = createFleetBatches();
  return {
    /** @param isRerun whether the job was started before: then it may be done, and must not spend the read limit. */
    async run(job: BatchJob, isRerun: boolean): Promise<BatchResult> {
      if (isRerun && !(await isOwed(database, job.publishId, job.batch))) return ALREADY_FINISHED;
      const startedAt = await pacer.turn(job.to - job.from);
      const started = performance.now();
      const outcome =
        job.onConflict === 'update'
          ? await writeRevision(database, fleetBatches, job, startedAt)
          : await write(database, fleetBatches, job, startedAt);
      const elapsedMs = Math.round(performance.now() - started);
      return outcome ? { ...outcome, alreadyFinished: false, elapsedMs } : { ...ALREADY_FINISHED, elapsedMs };
    },

    /** The feeders that a batch is of, in the order of its meters. */
    async feederIds(job: BatchJob): Promise<string[]> {
      return batchFeederIds(job, await fleetBatches.of(database, job));
    },

    /** Records that a batch cannot be written, for a reason that will not go away. */
    giveUp(job: Pick<BatchJob, 'publishId' | 'batch'>, reason: string): Promise<void> {
      return failBatch(database, job.publishId, job.batch, reason);
    },
  };
}

/** The events are read last, so that what was posted before a batch's turn shows in it. */
async function write(
  database: Queryable,
  fleetBatches: FleetBatches,
  job: BatchJob,
  startedAt: Date,
): Promise<BatchOutcome | undefined> {
  const { publishId, batch, tenantId, readAt, onConflict } = job;
  const until = intervalEnd(readAt, job.intervalMinutes);
  const registryBatch = await fleetBatches.of(database, job);
  const feederIds = batchFeederIds(job, registryBatch);
  const events = await overlappingEvents(database, tenantId, feederIds, readAt, until);
  const columns = generateBatch(job, events, await registryMeters(database, job, registryBatch, events));
  return writeBatch(database, { publishId, batch, tenantId, readAt, columns, onConflict, startedAt });
}

/**
 * Revisions of one interval take turns from reading the events to the commit: otherwise one that read them before
 * another event was there could overwrite what that event's own revision has written.
 */
function writeRevision(
  database: Database,
  fleetBatches: FleetBatches,
  job: BatchJob,
  startedAt: Date,
): Promise<BatchOutcome | undefined> {
  return withTransaction(database, async (client) => {
    await lockRevisions(client, job.tenantId, job.readAt);
    return write(client, fleetBatches, job, startedAt);
  });
}

export type BatchRunner = ReturnType<typeof createBatchRunner>;

import type { BatchJob } from '../contracts/batchJob.js';
import type { Database } from '../db.js';
import { type BatchOutcome, writeBatch } from '../stores/meterReads.js';
import { failBatch, isOwed } from '../stores/publishLedger.js';
import { generateBatch } from './amiEmulator.js';
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

/** Runs one batch: waits for its turn under the read limit, generates its reads, writes them. */
export function createBatchRunner(database: Database, pacer: StartPacer) {
  return {
    /** @param isRerun whether the job was started before: then it may be done, and must not spend the read limit. */
    async run(job: BatchJob, isRerun: boolean): Promise<BatchResult> {
      if (isRerun && !(await isOwed(database, job.publishId, job.batch))) return ALREADY_FINISHED;
      const startedAt = await pacer.turn(job.to - job.from);
      const started = performance.now();
      const outcome = await writeBatch(database, {
        publishId: job.publishId,
        batch: job.batch,
        tenantId: job.tenantId,
        readAt: job.readAt,
        columns: generateBatch(job),
        onConflict: job.onConflict,
        startedAt,
      });
      const elapsedMs = Math.round(performance.now() - started);
      return outcome ? { ...outcome, alreadyFinished: false, elapsedMs } : { ...ALREADY_FINISHED, elapsedMs };
    },

    /** Records that a batch cannot be written, for a reason that will not go away. */
    giveUp(job: Pick<BatchJob, 'publishId' | 'batch'>, reason: string): Promise<void> {
      return failBatch(database, job.publishId, job.batch, reason);
    },
  };
}

export type BatchRunner = ReturnType<typeof createBatchRunner>;

import { UnrecoverableError } from 'bullmq';
import type { BatchJob } from '../contracts/batchJob.js';
import { isPassing } from '../db/db.js';
import { isPacerClosed } from '../pacing/startPacer.js';
import type { BatchResult } from './batchRunner.js';

/** What came of a job's batches. */
export interface RunOfBatches {
  /** The batches that have a result, in their order. */
  done: { batch: BatchJob; result: BatchResult }[];
  /** What the job fails with; undefined when all batches have a result. */
  error: unknown;
}

/**
 * Runs the batches of one job, one after the other. A batch that fails by its own fault does not hold up those behind it.
 * What is nobody's fault, such as Postgres being away or the worker stopping, ends the run at once: the queue hands the
 * job out again, and each batch that is done by then writes nothing.
 *
 * A job with a batch to be tried again is tried again, though another batch of it has been given up: a job that has
 * failed for good would take the first one along.
 */
export async function runEach(
  batches: readonly BatchJob[],
  run: (batch: BatchJob) => Promise<BatchResult>,
): Promise<RunOfBatches> {
  const done: RunOfBatches['done'] = [];
  const faults: unknown[] = [];
  for (const batch of batches) {
    try {
      done.push({ batch, result: await run(batch) });
    } catch (error) {
      if (isPassing(error, isPacerClosed)) return { done, error };
      faults.push(error);
    }
  }
  return { done, error: faults.find((error) => !(error instanceof UnrecoverableError)) ?? faults[0] };
}

/**
 * Room: writing. Promises: a batch runs at least once and is written exactly once; a worker that is killed loses
 * nothing.
 */

/**
 * Delivery guarantee: at least once, made exactly once by the key and one transaction. A job may run twice,
 * after a crash or a false stall, and even at the same time; its reads and its ledger row are one call that
 * claims the row first (sql/schema/reads.sql), so the second run writes nothing and counts nothing.
 */
import { UnrecoverableError } from 'bullmq';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { type BatchJob, batchesOf, batchJob, batchJobId, type Lane } from '../contracts/batchJob.js';
import type { DatabaseReturn } from '../db/databaseReturn.js';
import { isPassing, isTransient } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import { isPacerClosed } from '../pacing/startPacer.js';
import type { AmiQueue, BatchWorker, WorkOptions } from '../queues/amiQueue.js';
import { type BatchResult, type BatchRunner, UnknownBatchError } from './batchRunner.js';
import { runEach } from './runEach.js';
import { type Depth, sampledDepth } from './sampledDepth.js';

export interface AmiWorkerOptions {
  queue: AmiQueue;
  runner: BatchRunner;
  log: Logger;
  lane: WorkOptions['lane'];
  concurrency: number;
  /** What a job waits for in its place when Postgres has gone; without it the job goes back to the queue for a while. */
  databaseReturn?: DatabaseReturn;
  /** Told of every write, for the adaptive concurrency. */
  onWritten?: (elapsedMs: number) => void;
  /** Told of every run of a batch, for metrics. */
  observer?: BatchObserver | undefined;
}

/** Who counts what becomes of batches. */
export interface BatchObserver {
  /** A run that ended well. */
  ran(lane: Lane, result: BatchResult): void;
  /** A run that did not: the batch is tried again, given up, or handed back by a worker that stops. */
  ended(lane: Lane, outcome: 'failed' | 'given_up' | 'handed_back'): void;
  /** How many live batches the worker now runs at once. */
  concurrency(most: number): void;
}

/** How many tries a batch gets that fails by its own fault, before it is given up. */
const TRIES_AT_OWN_FAULT = 5;
/** Batches whose faults a worker remembers: more than it can have under way at once, in some 2 MB. */
const REMEMBERED_FAULTS = 10_000;

/** Starts to take batch jobs of one lane from the queue. */
export function startAmiWorker({
  queue,
  runner,
  log,
  lane,
  concurrency,
  onWritten,
  databaseReturn,
  observer,
}: AmiWorkerOptions): BatchWorker {
  // Not BullMQ's count of attempts: the tries of an outage are in that, and the first fault after it was the last.
  const ownFaults = new LRUCache<string, number>({ max: REMEMBERED_FAULTS });
  const depth = sampledDepth(queue);
  /** One batch, until it is written or its error says what becomes of its job. */
  const runBatch = async (job: BatchJob, isRerun: boolean): Promise<BatchResult> => {
    const id = batchJobId(job.publishId, job.batch);
    try {
      const result = await runWhenThere(
        (isAgain) => runner.run(job, isRerun || isAgain, lane),
        databaseReturn,
      );
      if (!result.alreadyFinished) onWritten?.(result.elapsedMs);
      observer?.ran(lane, result);
      return result;
    } catch (error) {
      const failed = await failureOf(job, id, error);
      observer?.ended(lane, outcomeOf(failed));
      throw failed;
    }
  };
  /** The error to end the job with: an UnrecoverableError where the batch is given up. */
  const failureOf = async (job: BatchJob, id: string, error: unknown): Promise<unknown> => {
    if (error instanceof UnknownBatchError) return new UnrecoverableError(error.message);
    // What is no fault of the batch costs no try: the batch runs again however often it takes.
    if (isPassing(error, isPacerClosed)) return error;
    const faults = (ownFaults.get(id) ?? 0) + 1;
    ownFaults.set(id, faults);
    if (faults < TRIES_AT_OWN_FAULT) return error;
    const reason = error instanceof Error ? error.message : String(error);
    await runner.giveUp(job, shownReason(error));
    return new UnrecoverableError(`given up after ${faults} attempts: ${reason}`);
  };
  const logAll = (jobId: string, batches: readonly BatchJob[], results: readonly BatchResult[]): void => {
    for (const [index, batch] of batches.entries()) {
      const result = results[index];
      if (result) void logDone(log, depth, runner, jobId, batch, result);
    }
  };
  return queue.work(
    async ({ id, payload, isRerun }): Promise<BatchResult[]> => {
      const parsed = batchJob.safeParse(payload);
      if (!parsed.success)
        throw new UnrecoverableError(`job ${id} is not a batch job: ${parsed.error.message}`);
      const { done, error } = await runEach(batchesOf(parsed.data), (batch) => runBatch(batch, isRerun));
      if (error === undefined) return done.map(({ result }) => result);
      logAll(
        id,
        done.map(({ batch }) => batch),
        done.map(({ result }) => result),
      );
      throw error;
    },
    {
      lane,
      concurrency,
      onCompleted: (jobId, payload, result) =>
        logAll(jobId, batchesOf(batchJob.parse(payload)), result as BatchResult[]),
      onFailed: (jobId, error) => logFailed(log, jobId, error),
      onError: (error) => log.warn({ err: error }, 'queue connection'),
    },
  );
}

function outcomeOf(failed: unknown): 'failed' | 'given_up' | 'handed_back' {
  if (failed instanceof UnrecoverableError) return 'given_up';
  return isPacerClosed(failed) ? 'handed_back' : 'failed';
}

/**
 * The job's result, however often Postgres goes away meanwhile. Sent back to the queue instead, each job that is waiting
 * would be taken, fail, and be put off for longer and longer, up to 30 s beyond Postgres's return.
 */
async function runWhenThere<T>(
  run: (isAgain: boolean) => Promise<T>,
  databaseReturn: DatabaseReturn | undefined,
): Promise<T> {
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await run(isAgain);
    } catch (error) {
      if (!isTransient(error) || !(await databaseReturn?.wait())) throw error;
    }
  }
}

/** One log line per batch, written when its job is over for now. */
async function logDone(
  log: Logger,
  depth: () => Promise<Depth | null>,
  runner: BatchRunner,
  jobId: string,
  job: BatchJob,
  result: BatchResult,
): Promise<void> {
  const [queueDepth, feederIds] = await Promise.all([depth(), runner.feederIds(job).catch(() => null)]);
  log.info(
    {
      jobId,
      publishId: job.publishId,
      batch: job.batch,
      requestId: job.requestId,
      tenantId: job.tenantId,
      readAt: job.readAt,
      feederIds,
      metersCount: job.to - job.from,
      insertCount: result.inserted,
      updateCount: result.updated,
      duplicateCount: result.duplicate,
      skippedCount: result.skipped,
      alreadyFinished: result.alreadyFinished,
      elapsedMs: result.elapsedMs,
      queueDepth,
    },
    'batch written',
  );
}

function logFailed(log: Logger, jobId: string | undefined, error: Error): void {
  if (isPacerClosed(error)) log.info({ jobId }, 'batch handed back: the worker is stopping');
  else if (error instanceof UnrecoverableError) log.error({ jobId, err: error }, 'batch given up');
  else log.warn({ jobId, reason: error.message }, 'batch failed, to be tried again');
}

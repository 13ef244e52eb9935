/**
 * Room: queues. Promises: batches and ticks go through one door, the same on Redis and on Postgres, and every call
 * ends within its deadline.
 */

import type { JobsOptions, JobType, WorkerOptions } from 'bullmq';
import { type BatchJobPayload, batchJobId, type Lane } from '../contracts/batchJob.js';
import { doublingPause } from '../timing/doublingPause.js';
import { type Connections, QUEUE_NAMES, type RawQueue } from './queueConnections.js';
import { withQueueDeadline } from './queueDeadline.js';
import { thinned } from './thinnedErrors.js';

/**
 * The door to the batches' BullMQ queues, the same on Redis and on Postgres. Each lane has a queue of its own, so a
 * backlog in the background neither delays a live batch nor takes one of its workers.
 */
export interface AmiQueue {
  readonly backend: 'redis' | 'postgres';
  /** Adds jobs; adding one twice leaves one. @throws DependencyUnavailableError within 1.5 s. */
  add(jobs: readonly QueuedBatch[]): Promise<void>;
  /** Counts both lanes together; completed jobs are not kept. @throws DependencyUnavailableError within 1.5 s. */
  counts(): Promise<QueueCounts>;
  /** The counts of each lane. @throws DependencyUnavailableError within 1.5 s. */
  countsByLane(): Promise<LaneCounts>;
  /** Whether jobs can be counted and added. @throws DependencyUnavailableError within 1.5 s, with the reason. */
  check(): Promise<void>;
  /** Has a job that it holds run, now where it waits for a later time; answers whether it holds the job. */
  haveRun(payload: BatchJobPayload, lane: Lane): Promise<boolean>;
  /** Puts in a job that it does not hold, in place of one that has failed or wrongly counts as completed. */
  putBack(payload: BatchJobPayload, lane: Lane): Promise<void>;
  /** Starts to take jobs of one lane. */
  work(process: BatchProcessor, options: WorkOptions): BatchWorker;
  /** Removes the completed jobs that earlier versions kept. @throws DependencyUnavailableError within 1.5 s. */
  forgetCompleted(): Promise<void>;
  /** Closes the queues; the connections under them are closed by whoever opened those. */
  close(): Promise<void>;
}

export interface QueuedBatch {
  payload: BatchJobPayload;
  lane: Lane;
  /** When it becomes due, in ms from now. */
  delayMs: number;
}

export interface QueueCounts {
  waiting: number;
  delayed: number;
  active: number;
  failed: number;
}

export type LaneCounts = Record<Lane, QueueCounts>;

export type BatchProcessor = (job: {
  id: string;
  payload: unknown;
  /** Whether it was started before, also by a worker that then died. */
  isRerun: boolean;
}) => Promise<unknown>;

export interface WorkOptions {
  lane: Lane;
  concurrency: number;
  onCompleted: (jobId: string, payload: unknown, result: unknown) => void;
  onFailed: (jobId: string | undefined, error: Error) => void;
  onError: (error: Error) => void;
}

export interface BatchWorker {
  concurrency: number;
  /** Takes no more jobs, and waits for those it has. */
  close(): Promise<void>;
}

const JOB_NAME = 'batch';

/** States from which a job is not run any more. */
const ENDED_STATES = new Set(['failed', 'completed', 'unknown']);

/** On Postgres a paused queue reports its jobs only as `paused`, which BullMQ takes but its types leave out. */
const COUNTED_STATES = ['waiting', 'paused', 'prioritized', 'delayed', 'active', 'failed'] as JobType[];

/**
 * An outage must never use up a job's attempts. The worker itself tells what is permanently wrong with a batch, and stops
 * retrying it (UnrecoverableError). So the number is only a formality that BullMQ needs.
 */
const ATTEMPTS = 1_000_000;
/**
 * Completed jobs are not kept: the ledger remembers what was done, and a job that the queue keeps costs every later one. On
 * Postgres each completion reads two rows for each job kept, and each count all of them; on Redis 5,000 jobs are 7 MB.
 *
 * One stack trace per job: BullMQ would keep one per try, and rewrite them all each time.
 */
const JOB_OPTIONS = {
  attempts: ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  stackTraceLimit: 1,
} satisfies JobsOptions;

/** The wait before the n-th retry, in ms: 0.5, 1, 2 … 30 s, so a database that comes back is not stormed. */
export function retryDelayMs(attemptsMade: number): number {
  return doublingPause({ first: 500, longest: 30_000 }, attemptsMade - 1);
}

const WORKER_OPTIONS = {
  // A batch takes 50-500 ms and a lock is renewed at half its time: 10 s means the worker is gone, and a
  // false alarm costs one duplicate run that writes nothing. BullMQ's 30 s left a killed worker's jobs for 60.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // A job of a worker killed twice is not a bad job: the default of 1 failed 10 of 400 in a crash trial.
  maxStalledCount: 1_000,
  runRetryDelay: 1_000,
  // For jobs that an earlier version added; the others say it themselves.
  removeOnComplete: { count: 0 },
  removeOnFail: { age: 7 * 86_400, count: 500 },
  settings: { backoffStrategy: retryDelayMs },
} satisfies Partial<WorkerOptions>;

/** Opens the door over connections that are open. */
export function openAmiQueue(connections: Connections, onError: (error: Error) => void): AmiQueue {
  const queues = {
    live: connections.queue(QUEUE_NAMES.live),
    background: connections.queue(QUEUE_NAMES.background),
  } satisfies Record<Lane, unknown>;
  const both = Object.values(queues);
  for (const queue of both) queue.on('error', onError);

  return {
    backend: connections.backend,
    add: (jobs) =>
      withQueueDeadline(async () => {
        await Promise.all(
          LANES.map(async (lane) => {
            const own = jobs.filter((job) => job.lane === lane);
            if (own.length > 0) await queues[lane].addBulk(own.map(queuedJob));
          }),
        );
      }),
    counts: () => withQueueDeadline(async () => sumOf(await countsOf(queues))),
    countsByLane: () => withQueueDeadline(() => countsOf(queues)),
    check: () =>
      withQueueDeadline(async () => {
        await Promise.all([connections.writeProbe(), ...both.map((queue) => queue.getJobCounts('waiting'))]);
      }),
    haveRun: (payload, lane) =>
      withQueueDeadline(async () => {
        const job = await queues[lane].getJob(jobIdOf(payload));
        const state = await job?.getState();
        if (job === undefined || state === undefined) return false;
        if (state === 'delayed')
          await job.promote().catch(async (error: unknown) => {
            // Its own time may have come meanwhile.
            if ((await job.getState()) === 'delayed') throw error;
          });
        return !ENDED_STATES.has(state);
      }),
    putBack: (payload, lane) =>
      withQueueDeadline(async () => {
        const jobId = jobIdOf(payload);
        await (await queues[lane].getJob(jobId))?.remove();
        await queues[lane].add(JOB_NAME, payload, { jobId, ...JOB_OPTIONS });
      }),
    work(process, work) {
      const worker = connections.worker(
        QUEUE_NAMES[work.lane],
        async (job) =>
          process({
            id: String(job.id),
            payload: job.data,
            isRerun: job.attemptsStarted > 1,
          }),
        { ...WORKER_OPTIONS, concurrency: work.concurrency },
      );
      worker.on('completed', (job, result) => work.onCompleted(String(job.id), job.data, result));
      worker.on('failed', (job, error) => work.onFailed(job?.id, error));
      worker.on('error', thinned(work.onError));
      return worker;
    },
    forgetCompleted: () =>
      withQueueDeadline(async () => {
        await Promise.all(both.map((queue) => queue.clean(0, 0, 'completed')));
      }),
    async close() {
      await Promise.all(both.map((queue) => queue.close()));
    },
  };
}

async function countsOf(queues: Record<Lane, Pick<RawQueue, 'getJobCounts'>>): Promise<LaneCounts> {
  const of = async (lane: Lane): Promise<QueueCounts> => {
    const counts = await queues[lane].getJobCounts(...COUNTED_STATES);
    const { waiting = 0, paused = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts;
    return { waiting: waiting + paused + prioritized, delayed, active, failed };
  };
  const [live, background] = await Promise.all([of('live'), of('background')]);
  return { live, background };
}

function sumOf({ live, background }: LaneCounts): QueueCounts {
  return {
    waiting: live.waiting + background.waiting,
    delayed: live.delayed + background.delayed,
    active: live.active + background.active,
    failed: live.failed + background.failed,
  };
}

const LANES = ['live', 'background'] as const satisfies readonly Lane[];

function queuedJob({ payload, delayMs }: QueuedBatch) {
  const delay = delayMs > 0 ? { delay: Math.ceil(delayMs) } : {};
  return { name: JOB_NAME, data: payload, opts: { jobId: jobIdOf(payload), ...JOB_OPTIONS, ...delay } };
}

function jobIdOf(payload: BatchJobPayload): string {
  return batchJobId(payload.publishId, payload.batch);
}

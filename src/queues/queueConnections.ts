import {
  type JobSchedulerJson,
  type JobsOptions,
  type JobType,
  Queue,
  type RepeatOptions,
  type Telemetry,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { withDeadline } from '../timing/deadline.js';
import { backendIn, createQueueDatabase, patientPool, type QueueDatabaseOptions } from './postgresBackend.js';
import { createProducerRedis, createWorkerRedis, type RedisServer } from './redis/redisClients.js';
import { requireRedis } from './redis/requireRedis.js';
import { runUntilClosed } from './workerWatch.js';

/** One queue per lane, and one for ticks and heartbeats. Jobs of the last are no batches and count nowhere. */
export const QUEUE_NAMES = {
  live: 'gridlens-ami',
  background: 'gridlens-ami-background',
  ticks: 'gridlens-ami-ticks',
} as const;
export type QueueName = (typeof QUEUE_NAMES)[keyof typeof QUEUE_NAMES];

/** What is used of BullMQ's Queue and Worker, whose own types differ by backend. */
export interface RawQueue {
  on(event: 'error', listener: (error: Error) => void): unknown;
  add(name: string, data: object, options: JobsOptions): Promise<unknown>;
  addBulk(jobs: { name: string; data: object; opts: JobsOptions }[]): Promise<unknown>;
  getJobCounts(...states: JobType[]): Promise<Record<string, number>>;
  /** Removes jobs that ended more than `graceMs` ago: `limit` of them, or all when that is 0. */
  clean(graceMs: number, limit: number, state: 'completed'): Promise<unknown>;
  getJob(id: string): Promise<QueuedJob | undefined>;
  upsertJobScheduler(
    id: string,
    repeat: Omit<RepeatOptions, 'key'>,
    template: { name: string; data: object; opts: Omit<JobsOptions, 'jobId' | 'repeat' | 'delay'> },
  ): Promise<unknown>;
  getJobScheduler(id: string): Promise<JobSchedulerJson<unknown> | undefined>;
  getJobSchedulers(start?: number, end?: number, ascending?: boolean): Promise<JobSchedulerJson<unknown>[]>;
  removeJobScheduler(id: string): Promise<boolean>;
  close(): Promise<void>;
}
interface QueuedJob {
  getState(): Promise<string>;
  remove(): Promise<void>;
  /** Makes a delayed job run now. */
  promote(): Promise<void>;
}
export interface TakenJob {
  id?: string | undefined;
  name: string;
  data: unknown;
  opts: { prevMillis?: number | undefined };
  attemptsMade: number;
  attemptsStarted: number;
}
type Processor = (job: TakenJob) => Promise<unknown>;
export interface RawWorker {
  concurrency: number;
  close(): Promise<void>;
  on(event: 'completed', listener: (job: TakenJob, result: unknown) => void): unknown;
  on(event: 'failed', listener: (job: TakenJob | undefined, error: Error) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What differs between the backends: how queues and workers are made, and what must be closed after them. */
export interface Connections {
  backend: 'redis' | 'postgres';
  queue(name: QueueName): RawQueue;
  worker(name: QueueName, process: Processor, options: Partial<WorkerOptions>): RawWorker;
  /** Settles once the queues that were made are usable; fails when they are not within half a minute. */
  ready(): Promise<void>;
  /** Writes something small where the queues are, which fails where a job could not be added either. */
  writeProbe(): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  redisUrl: string | undefined;
  /** What the start found at `redisUrl`; looked for where it is missing. */
  redisServer?: RedisServer;
  databaseUrl: string;
  queueDatabase?: QueueDatabaseOptions;
  /** Whether nothing is to be written: BullMQ's queues else note their version in Redis when they are opened. */
  looksOnly?: boolean;
  /** Of the keys in Redis, one for each deployment. Braces keep all keys in one slot of a Redis cluster. */
  prefix: string;
  /** Who is told of spans, so that a job's goes on from its request's; nobody where it is missing. */
  telemetry?: Telemetry;
  onError: (error: Error) => void;
  /** Told about a worker that nobody closed and that will never take a job again: only a new process helps. */
  onBroken?: (error: Error) => void;
}

/** Longer than a Redis that is slow at the start takes; a process whose queue is not usable by then ends. */
const READY_MS = 30_000;
const PROBE_SECONDS = 60;

/** Connects to Redis if a URL is given, else to Postgres; waits for the first answer of either. */
export async function openConnections(options: ConnectionOptions): Promise<Connections> {
  const { redisUrl, databaseUrl, prefix, onError, onBroken = onError, looksOnly = false } = options;
  const common = { looksOnly, ...(options.telemetry ? { telemetry: options.telemetry } : {}) };
  if (!redisUrl)
    return postgresConnections(databaseUrl, { ...options.queueDatabase, ...common }, onError, onBroken);
  const server = options.redisServer ?? (await requireRedis(redisUrl, prefix));
  return redisConnections(server, { prefix, ...common }, onError, onBroken);
}

/** What both backends do with what is made over them. */
interface Common {
  looksOnly: boolean;
  telemetry?: Telemetry;
}

type OnError = ConnectionOptions['onError'];

function redisConnections(
  server: RedisServer,
  { prefix, looksOnly, ...traced }: { prefix: string } & Common,
  onError: OnError,
  onBroken: OnError,
): Connections {
  const producer = createProducerRedis(server, onError);
  const clients = [producer];
  const queues: Queue[] = [];
  return {
    backend: 'redis',
    queue(name) {
      const queue = new Queue(name, { connection: producer, prefix, skipMetasUpdate: looksOnly, ...traced });
      queues.push(queue);
      return queue as unknown as RawQueue;
    },
    worker(name, process, options) {
      const { client, pause } = createWorkerRedis(server, onError);
      clients.push(client);
      const worker = new Worker(name, process, {
        ...{ ...options, ...traced },
        ...{ connection: client, prefix, autorun: false },
      });
      worker.on('closing', () => pause.end());
      if (options.autorun !== false) runUntilClosed(worker, worker.waitUntilReady(), onBroken);
      return worker;
    },
    ready: () =>
      withDeadline(
        async () => {
          await Promise.all(queues.map((queue) => queue.waitUntilReady()));
          await Promise.all(queues.map((queue) => queue.getJobCounts('waiting')));
        },
        READY_MS,
        () => new Error(`its queues are not usable after ${READY_MS / 1000} s`),
      ),
    async writeProbe() {
      await producer.set(`${prefix}:probe`, '1', 'EX', PROBE_SECONDS);
    },
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

async function postgresConnections(
  databaseUrl: string,
  { looksOnly, telemetry, ...limits }: QueueDatabaseOptions & Common,
  onError: OnError,
  onBroken: OnError,
): Promise<Connections> {
  const pool = await createQueueDatabase(databaseUrl, onError, limits);
  const backend = backendIn(pool.schema);
  const traced = telemetry ? { telemetry } : {};
  const readiness: Promise<unknown>[] = [];
  return {
    backend: 'postgres',
    queue(name) {
      const connection = patientPool(pool, () => false);
      const queue = new Queue(name, { connection, skipMetasUpdate: looksOnly, ...traced }, backend);
      const isReady = queue.waitUntilReady();
      // A caller that does not wait for readiness learns of a failure with its first call.
      isReady.catch(() => undefined);
      readiness.push(isReady);
      return queue as unknown as RawQueue;
    },
    worker(name, process, options) {
      let closing = false;
      const connection = patientPool(pool, () => closing);
      const worker = new Worker(
        name,
        process,
        { ...options, ...traced, connection, autorun: false },
        backend,
      );
      worker.on('closing', () => {
        closing = true;
      });
      if (options.autorun !== false)
        runUntilClosed(worker as unknown as Worker, worker.waitUntilReady(), onBroken);
      return worker;
    },
    async ready() {
      await Promise.all(readiness);
    },
    // Whether Postgres takes writes is asked of the process's own pool.
    writeProbe: async () => undefined,
    close: () => pool.end(),
  };
}

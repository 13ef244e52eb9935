import {
  createPostgresBackend,
  type JobsOptions,
  type JobType,
  type PgPool,
  Queue,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import type { BatchJobPayload } from '../contracts/batchJob.js';
import { createQueueDatabase } from './postgresBackend.js';
import { createProducerRedis, createWorkerRedis } from './redisBackend.js';

export const QUEUE_NAME = 'gridlens-ami';

/** What is used of BullMQ's Queue and Worker, whose own types differ by backend. */
export interface BatchQueue {
  on(event: 'error', listener: (error: Error) => void): unknown;
  add(name: string, data: BatchJobPayload, options: JobsOptions): Promise<unknown>;
  addBulk(jobs: { name: string; data: BatchJobPayload; opts: JobsOptions }[]): Promise<unknown>;
  getJobCounts(...states: JobType[]): Promise<Record<string, number>>;
  getJob(id: string): Promise<{ getState(): Promise<string>; remove(): Promise<void> } | undefined>;
  close(): Promise<void>;
}
export interface TakenJob {
  id?: string | undefined;
  data: unknown;
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

/** What differs between the backends: how queue and worker are made, and what must be closed with them. */
export interface Connections {
  backend: 'redis' | 'postgres';
  queue(): BatchQueue;
  worker(process: Processor, options: Partial<WorkerOptions>): RawWorker;
  close(): Promise<void>;
}

export function redisConnections(url: string, prefix: string, onError: (error: Error) => void): Connections {
  const producer = createProducerRedis(url, onError);
  const workerConnections: ReturnType<typeof createWorkerRedis>[] = [];
  return {
    backend: 'redis',
    queue: () => new Queue(QUEUE_NAME, { connection: producer, prefix }),
    worker(process, options) {
      const connection = createWorkerRedis(url, onError);
      workerConnections.push(connection);
      return new Worker(QUEUE_NAME, process, { ...options, connection, prefix });
    },
    async close() {
      for (const connection of [producer, ...workerConnections]) connection.disconnect();
    },
  };
}

export async function postgresConnections(
  databaseUrl: string,
  onError: (error: Error) => void,
): Promise<Connections> {
  const pool = await createQueueDatabase(databaseUrl, onError);
  // pg types its listeners by event, BullMQ by signature; it is a pg.Pool that BullMQ wants.
  const connection = pool as unknown as PgPool;
  return {
    backend: 'postgres',
    queue: () => new Queue(QUEUE_NAME, { connection }, createPostgresBackend),
    worker: (process, options) =>
      new Worker(QUEUE_NAME, process, { ...options, connection }, createPostgresBackend),
    close: () => pool.end(),
  };
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../db/db.js';
import { beat, recordJob, retire, type WorkerIdentity } from './workers.js';

/** Says in the database that this worker process is alive, and that it does jobs. */
export function createHeartbeat(database: Database, concurrency: () => number) {
  const workerId = randomUUID();
  const worker = (): WorkerIdentity => ({
    workerId,
    host: hostname(),
    pid: process.pid,
    concurrency: concurrency(),
  });
  return {
    workerId,
    beat: () => beat(database, worker()),
    /** For each heartbeat job that this process has taken from the queue; it may come before the first beat. */
    processed: (): Promise<void> => recordJob(database, worker()),
    /** Called last, since no later beat or job brings the worker back on the list. */
    retire: () => retire(database, workerId),
  };
}

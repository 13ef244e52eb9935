import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../db.js';
import { beat, retire } from '../stores/workerHeartbeats.js';

/** Says in the database that this worker process is alive. */
export function createHeartbeat(database: Database, concurrency: () => number) {
  const workerId = randomUUID();
  return {
    workerId,
    beat: () => beat(database, { workerId, host: hostname(), pid: process.pid, concurrency: concurrency() }),
    retire: () => retire(database, workerId),
  };
}

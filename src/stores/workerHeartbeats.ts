import type { Queryable } from '../db.js';

export interface LiveWorker {
  workerId: string;
  host: string;
  pid: number;
  concurrency: number;
  startedAt: Date;
  heartbeatAt: Date;
}

/** Says that a worker process is alive, by the database's clock. */
export async function beat(
  database: Queryable,
  worker: Pick<LiveWorker, 'workerId' | 'host' | 'pid' | 'concurrency'>,
): Promise<void> {
  await database.query(
    `INSERT INTO ami_workers (worker_id, host, pid, concurrency) VALUES ($1, $2, $3, $4)
     ON CONFLICT (worker_id) DO UPDATE SET concurrency = excluded.concurrency, heartbeat_at = now()`,
    [worker.workerId, worker.host, worker.pid, worker.concurrency],
  );
}

/** Removes a worker that has stopped, and those that have been silent for a day. */
export async function retire(database: Queryable, workerId: string): Promise<void> {
  await database.query(
    `DELETE FROM ami_workers WHERE worker_id = $1 OR heartbeat_at < now() - interval '1 day'`,
    [workerId],
  );
}

/** Workers heard of within the last `withinSeconds`. */
export async function liveWorkers(database: Queryable, withinSeconds: number): Promise<LiveWorker[]> {
  const { rows } = await database.query<LiveWorker>(
    `SELECT worker_id AS "workerId", host, pid, concurrency, started_at AS "startedAt", heartbeat_at AS "heartbeatAt"
     FROM ami_workers WHERE heartbeat_at > now() - $1 * interval '1 s' ORDER BY started_at, worker_id`,
    [withinSeconds],
  );
  return rows;
}

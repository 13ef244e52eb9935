import type { Queryable } from '../db/db.js';

/** A worker process, as it says itself. */
export interface WorkerIdentity {
  workerId: string;
  host: string;
  pid: number;
  concurrency: number;
}

export interface LiveWorker extends WorkerIdentity {
  startedAt: Date;
  heartbeatAt: Date;
  /** When it last ended a heartbeat job; null before its first. */
  lastJobAt: Date | null;
}

/** Says that a worker process is alive, by the database's clock. */
export async function beat(database: Queryable, worker: WorkerIdentity): Promise<void> {
  await database.query(
    `INSERT INTO ami_workers (worker_id, host, pid, concurrency) VALUES ($1, $2, $3, $4)
     ON CONFLICT (worker_id) DO UPDATE SET concurrency = excluded.concurrency, heartbeat_at = now()`,
    [worker.workerId, worker.host, worker.pid, worker.concurrency],
  );
}

/** Says that a worker has taken a job from the queue and done it; its row may not be there yet. */
export async function recordJob(database: Queryable, worker: WorkerIdentity): Promise<void> {
  await database.query(
    `INSERT INTO ami_workers (worker_id, host, pid, concurrency, last_job_at) VALUES ($1, $2, $3, $4, clock_timestamp())
     ON CONFLICT (worker_id) DO UPDATE SET last_job_at = clock_timestamp()`,
    [worker.workerId, worker.host, worker.pid, worker.concurrency],
  );
}

/** Takes a worker that has stopped off the list, and forgets those that stopped or fell silent a day ago. */
export async function retire(database: Queryable, workerId: string): Promise<void> {
  await database.query(`UPDATE ami_workers SET retired_at = now() WHERE worker_id = $1`, [workerId]);
  await database.query(
    `DELETE FROM ami_workers WHERE greatest(heartbeat_at, retired_at) < now() - interval '1 day'`,
  );
}

/** A worker beats every 5 s; after three missed beats it is taken for dead. */
const ALIVE_SECONDS = 15;

/** Workers whose last beat is no more than 15 s old and that have not said that they stop. */
export async function liveWorkers(database: Queryable): Promise<LiveWorker[]> {
  const { rows } = await database.query<LiveWorker>(
    `SELECT worker_id AS "workerId", host, pid, concurrency, started_at AS "startedAt", heartbeat_at AS "heartbeatAt",
       last_job_at AS "lastJobAt"
     FROM ami_workers WHERE retired_at IS NULL AND heartbeat_at > now() - $1 * interval '1 s'
     ORDER BY started_at, worker_id`,
    [ALIVE_SECONDS],
  );
  return rows;
}

export interface LastJob {
  /** Null when no worker has done a job in the last day. */
  lastProcessedAt: Date | null;
  /** By the database's clock. */
  ageSeconds: number | null;
}

/** When any worker last did a heartbeat job. */
export async function lastJob(database: Queryable): Promise<LastJob> {
  const { rows } = await database.query<LastJob>(
    `SELECT max(last_job_at) AS "lastProcessedAt",
       round(greatest(0, extract(epoch FROM clock_timestamp() - max(last_job_at)))::numeric, 1)::double precision AS "ageSeconds"
     FROM ami_workers HAVING max(last_job_at) IS NOT NULL`,
  );
  return rows[0] ?? { lastProcessedAt: null, ageSeconds: null };
}

/**
 * For how many seconds publishing has stood still: the delay of the longest overdue live batch, if that is more than
 * `patienceSeconds` and no live batch has been finished for as long. Background batches do not count. Undefined while all
 * goes well.
 */
export async function standstill(database: Queryable, patienceSeconds: number): Promise<number | undefined> {
  const { rows } = await database.query<{ overdueSeconds: number }>(
    `SELECT extract(epoch FROM now() - overdue.due_at)::double precision AS "overdueSeconds"
     FROM (
       SELECT min(due_at) AS due_at FROM ami_publish_batches WHERE state = 'pending' AND NOT is_background
     ) overdue
     WHERE overdue.due_at < now() - $1 * interval '1 s'
       AND NOT EXISTS (
         SELECT FROM ami_publish_batches
         WHERE state IN ('done', 'failed') AND NOT is_background
           AND finished_at BETWEEN now() - $1 * interval '1 s' AND now() + interval '1 s')`,
    [patienceSeconds],
  );
  return rows[0]?.overdueSeconds;
}

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { openConnections, QUEUE_NAMES, type QueueName } from '../../src/queues/queueConnections.js';
import { BEARER } from './deployment.js';
import { openPool } from './openPool.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from './processes.js';
import { queuePrefixOf } from './queuePrefix.js';
import { readsOf, type Slot, slotsOf } from './slots.js';
import { createTestClock } from './testClock.js';

/** What a queue holds of a job that is still to be run, or runs. */
export interface PendingJob {
  queue: QueueName;
  id: string;
  name: string;
  tenantId: string;
}

export interface ClockedOptions {
  databaseUrl: string;
  /** Of the deployment's own Redis; else its queue is in Postgres. */
  redisUrl: string | undefined;
  /** What the clock shows at the start. */
  start: Date;
}

export type ClockedDeployment = Awaited<ReturnType<typeof openClockedDeployment>>;

/** Real API and worker processes on a database and queue of their own, under a clock of the test's. */
export async function openClockedDeployment({ databaseUrl, redisUrl, start }: ClockedOptions) {
  const clock = createTestClock(start);
  const pool = openPool({ connectionString: databaseUrl, max: 3 });
  const env = {
    DATABASE_URL: databaseUrl,
    TEST_CLOCK_FILE: clock.file,
    LOG_LEVEL: 'info',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
  const apis: (ProductProcess & { url: string })[] = [];
  const workers: ProductProcess[] = [];
  // Opened late: the processes make BullMQ's tables.
  let view: { connections: Awaited<ReturnType<typeof openConnections>>; queues: Queue[] } | undefined;
  const queues = async (): Promise<Queue[]> => {
    if (view === undefined) {
      const prefix = await queuePrefixOf(databaseUrl);
      const connections = await openConnections({ redisUrl, databaseUrl, prefix, onError: () => undefined });
      view = {
        connections,
        queues: Object.values(QUEUE_NAMES).map((name) => connections.queue(name) as unknown as Queue),
      };
      for (const queue of view.queues) queue.on('error', () => undefined);
    }
    return view.queues;
  };

  const startApi = async (): Promise<void> => void apis.push(await restarting(() => startApiProcess(env)));
  const startWorker = async (): Promise<void> =>
    void workers.push(await restarting(() => startWorkerProcess(env)));
  const killAll = async (): Promise<void> => {
    await Promise.all([...apis.splice(0), ...workers.splice(0)].map((running) => running.kill('SIGKILL')));
  };

  return {
    clock,
    pool,
    apis,
    workers,
    killAll,
    /** Has so many run: starts what lacks all at once, and kills what is too much. */
    async processes(count: { apis: number; workers: number }): Promise<void> {
      await Promise.all([
        ...apis.splice(count.apis).map((api) => api.kill('SIGKILL')),
        ...workers.splice(count.workers).map((worker) => worker.kill('SIGKILL')),
        ...Array.from({ length: count.apis - apis.length }, startApi),
        ...Array.from({ length: count.workers - workers.length }, startWorker),
      ]);
    },

    /** The answer to a request, by any of the APIs unless told; what is in doubt (503) is asked again, as clients do. */
    async post(path: string, body: object, api = randomInt(apis.length)) {
      for (;;) {
        const response = await fetch(`${apis[api]?.url}/api/ami${path}`, {
          method: 'POST',
          headers: { ...BEARER, 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        });
        const answer = (await response.json()) as Record<string, unknown>;
        if (response.ok) return answer;
        if (response.status !== 503) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
        await sleep(200);
      }
    },

    /** Tenants that have a scheduler, one entry a scheduler. */
    async schedulers(): Promise<{ tenantId: string; pattern: string | undefined }[]> {
      const found = await Promise.all((await queues()).map((queue) => queue.getJobSchedulers(0, -1)));
      return found.flat().map(({ key, pattern }) => ({ tenantId: key, pattern }));
    },

    /** What is still to be run in any of the queues but heartbeats, which come and go. */
    async pending(): Promise<PendingJob[]> {
      const states = ['waiting', 'paused', 'prioritized', 'delayed', 'active', 'waiting-children'] as never[];
      const found = await Promise.all((await queues()).map((queue) => queue.getJobs(states)));
      return found
        .flat()
        .filter((job) => job && job.name !== 'heartbeat')
        .map((job) => ({
          queue: job.queueName as QueueName,
          id: String(job.id),
          name: job.name,
          tenantId: String(job.data?.tenantId),
        }));
    },

    /** Everything the queue has is gone, as after a Redis that restarted without persistence. */
    async wipeQueue(): Promise<void> {
      if (redisUrl !== undefined) {
        const { Redis } = await import('ioredis');
        const client = new Redis(redisUrl);
        await client.flushall();
        client.disconnect();
        return;
      }
      const { rows } = await pool.query<{ tables: string }>(
        `SELECT string_agg(format('bullmq.%I', tablename), ', ') AS tables FROM pg_tables
         WHERE schemaname = 'bullmq' AND tablename <> 'migration'`,
      );
      for (;;) {
        try {
          await pool.query(`TRUNCATE ${rows[0]?.tables}`);
          return;
        } catch (error) {
          // The workers' statements lock the same tables in an order of their own; then one of them gives way, or this one.
          if ((error as { code?: string }).code !== '40P01') throw error;
        }
      }
    },

    /** A tenant's intervals, the earliest first. */
    slots: (tenantId: string): Promise<Slot[]> => slotsOf(pool, tenantId),

    reads: (tenantId: string): Promise<Map<string, number>> => readsOf(pool, tenantId),

    /** To find out why something failed: warnings of the processes that run, and who is doing what in the database. */
    async troubles(): Promise<string[]> {
      const logged = [...apis, ...workers].flatMap((running) =>
        running
          .logLines()
          .filter(({ level }) => Number(level) >= 40)
          .slice(-20),
      );
      const workersSeen = await pool.query(
        `SELECT pid, clock_timestamp() - heartbeat_at AS beat, clock_timestamp() - last_job_at AS job FROM ami_workers
         ORDER BY heartbeat_at DESC LIMIT 5`,
      );
      const sessions = await pool.query(
        `SELECT pid, application_name, state, wait_event, clock_timestamp() - state_change AS since, left(query, 120) AS query,
           (SELECT count(*) FROM pg_locks WHERE pg_locks.pid = activity.pid AND locktype = 'advisory' AND granted) AS locks
         FROM pg_stat_activity activity WHERE application_name LIKE 'gridlens%' AND state <> 'idle'`,
      );
      return [...logged, ...workersSeen.rows, ...sessions.rows].map((line) => JSON.stringify(line));
    },

    async close(): Promise<void> {
      await killAll();
      if (view) {
        await Promise.all(view.queues.map((queue) => queue.close()));
        await view.connections.close();
      }
      await pool.end();
      clock.remove();
    },
  };
}

/**
 * As a supervisor does with a process that ends while it starts: ten at once on a busy machine may find that Postgres
 * does not let them in within their second.
 */
async function restarting<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

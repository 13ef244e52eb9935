import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { pino } from 'pino';
import supertest from 'supertest';
import { composeApi } from '../../src/process/apiProcess.js';
import { loadConfig } from '../../src/process/config.js';
import { API_POOL, createContext, WORKER_POOL } from '../../src/process/context.js';
import { runWorker } from '../../src/process/workerProcess.js';
import type { AmiQueue } from '../../src/queues/amiQueue.js';
import type { QueueView } from '../../src/queues/queueView.js';
import { STRETCHED_BUDGET } from '../support/answerBudget.js';
import { startVirtualClock } from './virtualClock.js';

export const TENANT = 'MONTH';
export const SLOTS_A_DAY = 96;
const SLOT_MS = 15 * 60_000;
const KEY = 'test-key-0123456789abcdef';
/** No pace to speak of: the month would take a month. */
const READS_PER_SECOND = 1_000_000;
/** A slot is given so long, and the tick worker is told again to look for what is due. */
const SLOT_LIMIT_MS = 60_000;
const NUDGE_MS = 1_000;
const POLL_MS = 5;

export interface ManySlots {
  first: Date;
  /** From each boundary to its slot's last read, ms of real time. */
  elapsedMs: number[];
  /** What is left in the queues after `auto/stop`: batches not run, and schedulers. */
  left: { batches: number; schedulers: string[] };
  /** What processes have logged as warning or worse. */
  warnings: string[];
}

/**
 * Runs the product, API and a worker, through so many quarter hours: real Postgres, real queue, real job scheduler, with a
 * wall clock that begins a month ago and moves on to the next boundary as soon as an interval is whole. After
 * `auto/start` nothing is asked of it.
 */
export async function runManySlots(options: {
  databaseUrl: string;
  redisUrl: string | undefined;
  pool: pg.Pool;
  meterCount: number;
  slots: number;
  onDay?: (day: number, elapsedMs: number[]) => void;
}): Promise<ManySlots> {
  const { databaseUrl, redisUrl, pool, meterCount, slots, onDay } = options;
  const first = new Date(Math.floor(Date.now() / SLOT_MS) * SLOT_MS - (slots + SLOTS_A_DAY) * SLOT_MS);
  const env = {
    DATABASE_URL: databaseUrl,
    GRIDLENS_API_KEY: KEY,
    ...STRETCHED_BUDGET,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
  const config = {
    ...loadConfig(env, { command: 'api', cwd: '/nonexistent' }),
    maxReadsPerSecond: READS_PER_SECOND,
  };
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line.trim()) });
  const overrides = { queuePrefix: `{month-${randomUUID()}}`, log };

  const clock = startVirtualClock(new Date(first.getTime() - 30_000));
  try {
    const api = await createContext('api', config, API_POOL, overrides);
    const workerContext = await createContext('worker', config, WORKER_POOL, overrides);
    const worker = runWorker(workerContext);
    const http = supertest(composeApi(api));
    const post = async (path: string, body: object): Promise<void> => {
      const { status, text } = await http.post(path).set('Authorization', `Bearer ${KEY}`).send(body);
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
    };
    await post('/api/ami/auto/start', { tenantId: TENANT, meterCount, feederCount: 25, catchUpIntervals: 1 });

    const elapsedMs: number[] = [];
    for (let index = 0; index < slots; index += 1) {
      const slot = new Date(first.getTime() + index * SLOT_MS);
      clock.jumpTo(slot);
      const from = performance.now();
      await whole(pool, slot, () => api.ticks.beat(randomUUID()));
      elapsedMs.push(performance.now() - from);
      await nothingRuns(api.queueView);
      if ((index + 1) % SLOTS_A_DAY === 0) onDay?.((index + 1) / SLOTS_A_DAY, elapsedMs.slice(-SLOTS_A_DAY));
    }

    await post('/api/ami/auto/stop', { tenantId: TENANT });
    const left = { batches: await batchesLeft(api.queue), schedulers: await api.ticks.tenants() };
    await worker.stop();
    await workerContext.close();
    await api.close();
    return { first, elapsedMs, left, warnings };
  } finally {
    clock.restore();
  }
}

async function whole(pool: pg.Pool, slot: Date, nudge: () => Promise<void>): Promise<void> {
  const from = performance.now();
  for (let nudgeAt = 0; ; ) {
    const passed = performance.now() - from;
    if (passed > SLOT_LIMIT_MS) throw new Error(`${slot.toISOString()} was not whole within a minute`);
    if (passed >= nudgeAt) {
      nudgeAt = passed + NUDGE_MS;
      await nudge();
    }
    const { rowCount } = await pool.query({
      name: 'slot-is-whole',
      text: `SELECT FROM ami_publishes publish WHERE tenant_id = $1 AND read_at = $2 AND batch_count =
               (SELECT count(*) FROM ami_publish_batches batch
                WHERE batch.publish_id = publish.publish_id AND state = 'done')`,
      values: [TENANT, slot],
    });
    if (rowCount === 1) return;
    await sleep(POLL_MS);
  }
}

/** A job that runs while the clock jumps by a quarter hour has lost its lock, as on a machine that was asleep. */
async function nothingRuns(view: QueueView): Promise<void> {
  for (;;) {
    const counts = await Promise.all(
      (await view.queues()).map((queue) => queue.getJobCounts('waiting', 'active')),
    );
    if (counts.every(({ waiting, active }) => waiting === 0 && active === 0)) return;
    await sleep(POLL_MS);
  }
}

/** The last batch is in the ledger a moment before the queue knows. */
async function batchesLeft(queue: AmiQueue): Promise<number> {
  for (const until = performance.now() + 10_000; ; await sleep(100)) {
    const { waiting, delayed, active } = await queue.counts();
    const left = waiting + delayed + active;
    if (left === 0 || performance.now() > until) return left;
  }
}

/** What the tables say of the slots from `first` on. */
export interface SlotsFound {
  slots: number;
  aligned: number;
  fewestReads: number;
  mostReads: number;
  /** Reads of a meter that has another one in the same slot. */
  repeated: number;
  publishes: number;
  ticks: number;
}

export async function slotsFound(pool: pg.Pool, first: Date): Promise<SlotsFound> {
  const { rows } = await pool.query<SlotsFound>(
    `SELECT count(*)::integer AS slots,
       count(*) FILTER (WHERE extract(epoch FROM read_at)::bigint % 900 = 0)::integer AS aligned,
       min(reads)::integer AS "fewestReads", max(reads)::integer AS "mostReads",
       sum(reads - meters)::integer AS repeated,
       (SELECT count(*)::integer FROM ami_publishes WHERE tenant_id = $1 AND read_at >= $2) AS publishes,
       (SELECT count(DISTINCT read_at)::integer FROM ami_publishes
        WHERE tenant_id = $1 AND read_at >= $2 AND origin = 'tick') AS ticks
     FROM (SELECT read_at, count(*) AS reads, count(DISTINCT meter_id) AS meters FROM meter_reads_electric
           WHERE tenant_id = $1 AND read_at >= $2 GROUP BY read_at) AS slot`,
    [TENANT, first],
  );
  return rows[0] as SlotsFound;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { BEARER } from '../support/deployment.js';
import { openPool } from '../support/openPool.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { postgresCpu } from '../support/postgresCpu.js';
import { startApiProcess, startWorkerProcess } from '../support/processes.js';

export const ABOUT =
  'what the queue in Postgres costs in a backfill at batchSize 25: the first 20 s against 20 s after 5,000 jobs';
export const OPTIONS = '(none)';

const WINDOW_MS = 20_000;
const DONE_JOBS = 5_000;
const PERIOD_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
/** Reads per second later on, against those at the start. */
const TARGET = 0.98;

interface Sample {
  atMs: number;
  reads: number;
  jobs: number;
  /** CPU seconds of Postgres. */
  cpu: number;
}

/** Prints reads per second, and CPU of Postgres per read, at the start and once 5,000 jobs have been completed. */
export async function run(_args: string[], print: (line: string) => void): Promise<boolean> {
  const postgres = await startOwnPostgres();
  const env = { DATABASE_URL: postgres.url };
  const api = await startApiProcess(env);
  const worker = await startWorkerProcess(env);
  const pool = openPool({ connectionString: postgres.url, max: 1 });
  try {
    await acceptBackfill(api.url);
    while ((await sampleOf(pool)).jobs === 0) await sleep(100);
    const first = await window(pool);
    const until = Date.now() + PERIOD_MS;
    while ((await sampleOf(pool)).jobs < DONE_JOBS && Date.now() < until) await sleep(500);
    const later = await window(pool);
    print(`first 20 s: ${sentenceOf(first)}`);
    print(`after ${DONE_JOBS} jobs: ${sentenceOf(later)}`);
    const ratio = later.readsPerSecond / first.readsPerSecond;
    print(
      `reads/s: × ${ratio.toFixed(2)} (target ≥ ${TARGET}); CPU per read: × ${(later.cpuPerRead / first.cpuPerRead).toFixed(2)}`,
    );
    return ratio >= TARGET;
  } finally {
    await pool.end();
    await Promise.all([worker.kill('SIGKILL'), api.kill('SIGKILL')]);
    await postgres.remove();
  }
}

/** Two days of 2,500 meters: 19,200 jobs. */
async function acceptBackfill(url: string): Promise<void> {
  const to = new Date(Math.floor((Date.now() - DAY_MS) / QUARTER_MS) * QUARTER_MS);
  const answer = await fetch(`${url}/api/ami/backfill`, {
    method: 'POST',
    headers: { ...BEARER, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      ...{ tenantId: 'DEMO_TENANT', meterCount: 2_500, feederCount: 25, batchSize: 25 },
      from: new Date(to.getTime() - 2 * DAY_MS).toISOString(),
      to: to.toISOString(),
    }),
  });
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
}

interface Rates {
  readsPerSecond: number;
  /** CPU seconds of Postgres. */
  cpuPerRead: number;
  /** Share of one core that Postgres takes. */
  core: number;
}

async function window(pool: pg.Pool): Promise<Rates> {
  const from = await sampleOf(pool);
  await sleep(WINDOW_MS);
  const to = await sampleOf(pool);
  const seconds = (to.atMs - from.atMs) / 1000;
  const reads = to.reads - from.reads;
  const cpu = to.cpu - from.cpu;
  return { readsPerSecond: reads / seconds, cpuPerRead: cpu / reads, core: cpu / seconds };
}

async function sampleOf(pool: pg.Pool): Promise<Sample> {
  const { rows } = await pool.query<{ reads: number; jobs: number }>(
    `SELECT coalesce(sum(inserted), 0)::double precision AS reads, count(*)::integer AS jobs
     FROM ami_publish_batches WHERE state = 'done'`,
  );
  const { reads = 0, jobs = 0 } = rows[0] ?? {};
  return { atMs: performance.now(), reads, jobs, cpu: await postgresCpu(pool) };
}

function sentenceOf({ readsPerSecond, cpuPerRead, core }: Rates): string {
  return `${Math.round(readsPerSecond)} reads/s, Postgres ${Math.round(core * 100)} % of a core, ${Math.round(cpuPerRead * 1e6)} µs per read`;
}

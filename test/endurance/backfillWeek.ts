import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { getAlignedIntervalTimestamp } from '../../src/contracts/intervals.js';
import { MAX_READS_PER_SECOND } from '../../src/contracts/limits.js';
import { benchPostgres } from '../bench/benchPostgres.js';
import { thousands } from '../bench/report.js';
import { API_KEY } from '../support/deployment.js';
import { openPool } from '../support/openPool.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

export const ABOUT = 'a backfill at the read limit, with kill -9 of the worker and of the API on the way';
export const OPTIONS = '[--meters 2000] [--days 7] [--redis]';

const TENANT = 'BACKFILL';
const DAY_MS = 86_400_000;
const INTERVALS_A_DAY = 96;
/** How much of the limit the backfill has to reach while its worker runs. */
const LEAST_SHARE = 0.95;
/** How long a process that was killed stays away. */
const AWAY_MS = 5_000;

/** What has become of the backfill so far, by the ledger. */
interface Written {
  reads: number;
  duplicates: number;
  seconds: number;
  /** In the median ten seconds. */
  usualRate: number;
}

/** A worker that may be killed, and how long it has been up. */
async function startWorker(env: Record<string, string>) {
  let process: ProductProcess = await startWorkerProcess(env);
  let since = performance.now();
  let upMs = 0;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    upMs += performance.now() - since;
    await process.kill(signal);
  };
  return {
    async killAndRestart(): Promise<void> {
      await end('SIGKILL');
      await sleep(AWAY_MS);
      process = await startWorkerProcess(env);
      since = performance.now();
    },
    upSeconds: () => (upMs + performance.now() - since) / 1000,
    stop: () => end('SIGTERM'),
  };
}

async function startApi(env: Record<string, string>) {
  let api = await startApiProcess(env);
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${api.url}/api/ami${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer as Record<string, unknown>;
  };
  return {
    call,
    async killAndRestart(): Promise<void> {
      await api.kill('SIGKILL');
      await sleep(AWAY_MS);
      api = await startApiProcess(env);
    },
    stop: () => api.kill('SIGTERM'),
  };
}

async function writtenBy(pool: pg.Pool): Promise<Written> {
  const { rows } = await pool.query<Written>(
    `SELECT coalesce(sum(inserted), 0)::float AS reads, coalesce(sum(duplicate), 0)::float AS duplicates,
       coalesce(extract(epoch FROM max(finished_at) - min(started_at)), 0)::float AS seconds,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY reads / 10.0) FROM (
          SELECT sum(inserted) AS reads FROM ami_publish_batches WHERE tenant_id = $1 AND state = 'done'
          GROUP BY floor(extract(epoch FROM started_at) / 10)) AS ten)::float AS "usualRate"
     FROM ami_publish_batches WHERE tenant_id = $1`,
    [TENANT],
  );
  return rows[0] as Written;
}

/** Reads in the table, of how many intervals, and the smallest and largest of those. */
async function readsOf(pool: pg.Pool) {
  const { rows } = await pool.query<{ reads: number; intervals: number; least: number; most: number }>(
    `SELECT sum(reads)::float AS reads, count(*)::integer AS intervals, min(reads)::integer AS least,
       max(reads)::integer AS most
     FROM (SELECT count(DISTINCT meter_id) AS meters, count(*) AS reads FROM meter_reads_electric
           WHERE tenant_id = $1 GROUP BY read_at) AS slot
     WHERE meters = reads`,
    [TENANT],
  );
  return rows[0] as (typeof rows)[number];
}

export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      meters: { type: 'string', default: '2000' },
      days: { type: 'string', default: '7' },
      redis: { type: 'boolean', default: false },
    },
  });
  const meterCount = Number(values.meters);
  const days = Number(values.days);
  const wanted = meterCount * days * INTERVALS_A_DAY;
  const redis = values.redis ? await startOwnRedis() : undefined;
  if (values.redis && !redis) throw new Error('there is no redis-server or valkey-server on the PATH');
  const postgres = await benchPostgres();
  const pool = openPool({ connectionString: postgres.url, max: 2 });
  const env = { DATABASE_URL: postgres.url, ...(redis ? { REDIS_URL: redis.url } : {}) };
  try {
    const api = await startApi(env);
    const worker = await startWorker(env);
    const to = getAlignedIntervalTimestamp(15, new Date());
    const from = new Date(to.getTime() - days * DAY_MS);
    const created = await api.call('/backfill', { tenantId: TENANT, from, to, meterCount });
    const limitSeconds = wanted / MAX_READS_PER_SECOND;
    print(
      `${thousands(wanted)} reads of ${meterCount} meters in ${days} days, queue in ${redis ? 'Redis' : 'Postgres'}; ${Math.round(limitSeconds)} s at the limit`,
    );

    const upBefore = worker.upSeconds();
    const reaches = (share: number) =>
      waitFor(
        `${share * 100} % of the backfill`,
        async () => {
          await sleep(500);
          return (await writtenBy(pool)).reads >= wanted * share;
        },
        limitSeconds * 2_000 + 120_000,
      );
    await reaches(1 / 3);
    await worker.killAndRestart();
    print(
      `worker killed with SIGKILL and started again at ${thousands((await writtenBy(pool)).reads)} reads`,
    );
    await reaches(2 / 3);
    await api.killAndRestart();
    print(`API killed with SIGKILL and started again at ${thousands((await writtenBy(pool)).reads)} reads`);
    await reaches(1);
    const upSeconds = worker.upSeconds() - upBefore;
    const ended = await waitFor('the end of the backfill', async () => {
      const found = await api.call(`/backfill/${created.backfillId}`);
      return found.state !== 'running' && found;
    });
    await worker.stop();
    await api.stop();

    const written = await writtenBy(pool);
    const { reads, intervals, least, most } = await readsOf(pool);
    const share = reads / upSeconds / MAX_READS_PER_SECOND;
    print(
      `state ${ended.state}: ${thousands(reads)} reads in ${intervals} intervals of ${least} to ${most}, each meter once in each; ${written.duplicates} arrived twice`,
    );
    print(
      `${Math.round(reads / written.seconds)} reads/s over ${written.seconds.toFixed(0)} s from first to last, ${Math.round(written.usualRate)} in the median ten seconds; ${Math.round(reads / upSeconds)} over the ${upSeconds.toFixed(0)} s that a worker was up: ${share.toFixed(3)} of the limit of ${MAX_READS_PER_SECOND} (to be at least ${LEAST_SHARE})`,
    );
    const isWhole = reads === wanted && least === meterCount && most === meterCount;
    return ended.state === 'done' && isWhole && share >= LEAST_SHARE;
  } finally {
    await pool.end();
    await postgres.stop();
    await redis?.stop();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { getAlignedIntervalTimestamp, intervalEnd } from '../../src/contracts/intervals.js';
import { thousands } from '../bench/report.js';
import { openPool } from '../support/openPool.js';
import { freePort, startOwnRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

export const ABOUT =
  'npm start and auto/start, then nothing but real quarter hours: when and how whole they come';
export const OPTIONS = '[--count 2] [--meters 25000] [--redis]';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TENANT = 'DEMO_TENANT';
const INTERVAL = 15;
/** After its boundary a slot has to be whole within so long; 25,000 meters take 10.3 s at the pace. */
const LATEST_S = 15;
/** For one that is late, to say how late. */
const PATIENCE_MS = 120_000;

interface Slot {
  reads: number;
  meters: number;
  publishes: number;
  origins: string;
  /** After the boundary, s. */
  first: number;
  last: number;
}

/** `npm start` in a folder of its own, until it answers. */
async function startProduct(folder: string, redisUrl: string | undefined) {
  const port = await freePort();
  const { PATH = '', HOME = folder } = process.env;
  const child: ChildProcess = spawn('npm', ['start'], {
    cwd: ROOT,
    env: {
      PATH,
      HOME,
      PORT: String(port),
      GRIDLENS_DATA_DIR: folder,
      ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const closed = once(child, 'close');
  const url = `http://127.0.0.1:${port}`;
  await waitFor('npm start', async () => {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    return fetch(`${url}/readyz?require=worker`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  const kept = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
  return {
    url: `${url}/api/ami`,
    key: await kept('api-key'),
    databaseUrl: await kept('database-url'),
    async stop() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}

async function pendingBatches(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    `SELECT count(*)::integer AS pending FROM ami_publish_batches WHERE state = 'pending'`,
  );
  return rows[0].pending;
}

async function readsInAll(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query('SELECT count(*)::integer AS reads FROM meter_reads_electric');
  return rows[0].reads;
}

async function slotAt(pool: pg.Pool, boundary: Date): Promise<Slot> {
  const { rows } = await pool.query<Slot>(
    `SELECT count(*)::integer AS reads, count(DISTINCT meter_id)::integer AS meters, ledger.*
     FROM (SELECT count(DISTINCT publish_id)::integer AS publishes, string_agg(DISTINCT origin, ', ') AS origins,
             coalesce(extract(epoch FROM min(finished_at) - $2), 0)::float AS first,
             coalesce(extract(epoch FROM max(finished_at) - $2), 0)::float AS last
           FROM ami_publishes JOIN ami_publish_batches USING (publish_id)
           WHERE ami_publishes.tenant_id = $1 AND read_at = $2) AS ledger
       LEFT JOIN meter_reads_electric ON meter_reads_electric.tenant_id = $1 AND read_at = $2
     GROUP BY publishes, origins, first, last`,
    [TENANT, boundary],
  );
  return rows[0] as Slot;
}

export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: 'string', default: '2' },
      meters: { type: 'string', default: '25000' },
      redis: { type: 'boolean', default: false },
    },
  });
  const meterCount = Number(values.meters);
  const redis = values.redis ? await startOwnRedis() : undefined;
  if (values.redis && !redis) throw new Error('there is no redis-server or valkey-server on the PATH');
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-boundaries-'));
  await chmod(folder, 0o755);
  const product = await startProduct(folder, redis?.url);
  const pool = openPool({ connectionString: product.databaseUrl, max: 1 });
  try {
    const started = await fetch(`${product.url}/auto/start`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${product.key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: TENANT, meterCount }),
    });
    print(
      `npm start, queue in ${redis ? 'Redis' : 'Postgres'}; auto/start for ${thousands(meterCount)} meters at ${new Date().toISOString()} answered ${started.status}`,
    );
    if (!started.ok) throw new Error(await started.text());
    let areRight = true;
    let boundary = getAlignedIntervalTimestamp(INTERVAL, new Date());
    for (let count = Number(values.count); count > 0; count -= 1) {
      boundary = intervalEnd(boundary, INTERVAL);
      areRight = (await watchBoundary(pool, boundary, meterCount, print)) && areRight;
    }
    return areRight;
  } finally {
    await pool.end();
    await product.stop();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether what was written from the boundary on is one slot, whole, stamped with it and in time. */
async function watchBoundary(
  pool: pg.Pool,
  boundary: Date,
  meterCount: number,
  print: (line: string) => void,
): Promise<boolean> {
  await sleep(boundary.getTime() - Date.now() - 2_000);
  await waitFor('an empty queue before the boundary', async () => (await pendingBatches(pool)) === 0);
  const before = await readsInAll(pool);
  await sleep(boundary.getTime() - Date.now() + LATEST_S * 1_000 + 2_000);
  await waitFor(
    'the reads',
    async () => (await slotAt(pool, boundary)).reads >= meterCount,
    PATIENCE_MS,
  ).catch(() => undefined);
  const { reads, meters, publishes, origins, first, last } = await slotAt(pool, boundary);
  const written = (await readsInAll(pool)) - before;
  print(
    `${boundary.toISOString()}: ${publishes} publish (${origins}); first reads written ${first.toFixed(2)} s after the boundary, the last ${last.toFixed(2)} s; ${thousands(reads)} reads of ${thousands(meters)} meters, ${written === reads ? 'all of what was written stamped with the slot' : `${thousands(written)} written in all`}`,
  );
  const isExact = reads === meterCount && meters === meterCount && written === reads && publishes === 1;
  return isExact && last <= LATEST_S;
}

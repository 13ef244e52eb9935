import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type pg from 'pg';
import pino from 'pino';
import { composeApi } from '../../src/process/apiProcess.js';
import { loadConfig } from '../../src/process/config.js';
import { API_POOL, createContext, prepareStorage } from '../../src/process/context.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { acceptHistory, timedJobs, UNLIMITED, writeHistory } from '../support/history.js';
import { openPool } from '../support/openPool.js';
import { KPI_VIEWS } from '../support/plainKpis.js';
import { median, quantile } from '../support/quantiles.js';
import { type BenchPostgres, databaseBeside } from './benchPostgres.js';
import { againstRows, silentMetersRow } from './polls.js';
import { type Row, thousands } from './report.js';

const TENANT = 'HISTORY';
const FIRST_DAY = Date.UTC(2026, 0, 1);
const MS_PER_DAY = 86_400_000;
const silent = pino({ level: 'silent' });

export interface HistorySize {
  meterCount: number;
  /** Days stored when quickcheck is measured, ascending; the first is 1. */
  days: readonly number[];
  polls: number;
  /** Rounds, and quarter hours a round, of the write rate with history against the one without. */
  rounds: number;
  slots: number;
  /** Folder of another checkout whose quickcheck is measured beside this one's. */
  against?: string;
}

/** What months of reads do to the answers and to the writes. */
export async function historyRows(postgres: BenchPostgres, size: HistorySize): Promise<Row[]> {
  const full = await databaseBeside(postgres, 'history');
  const empty = await databaseBeside(postgres, 'no_history');
  for (const { url } of [full, empty]) await prepareStorage(url, false, silent);
  const pool = openPool({ connectionString: full.url, max: 8 });
  const emptyPool = openPool({ connectionString: empty.url, max: 8 });
  try {
    const rows = await quickcheckRows(full.url, pool, size);
    if (size.against !== undefined)
      rows.push(...(await againstRows(full.url, pool, TENANT, size.against, size.polls)));
    rows.push(await silentMeters(postgres, size));
    rows.push(await diskRow(pool), await writeRateRow(pool, emptyPool, size));
    return rows;
  } finally {
    await Promise.all([pool.end(), emptyPool.end()]);
    await full.drop();
    await empty.drop();
  }
}

/** quickcheck alone: over HTTP beside the longest history, and against another checkout's build where one is named. */
export async function quickcheckAlone(postgres: BenchPostgres, size: HistorySize): Promise<Row[]> {
  const { url, drop } = await databaseBeside(postgres, 'history');
  await prepareStorage(url, false, silent);
  const pool = openPool({ connectionString: url, max: 8 });
  try {
    const days = size.days.at(-1) as number;
    await storeDays(pool, size.meterCount, 0, days);
    await pool.query('ANALYZE');
    const row = {
      ...polledRow(await pollQuickcheck(url, size.polls), size.meterCount, days),
      ...{ ratio: '', target: 'p95 ≤ 25 ms' },
    };
    if (size.against === undefined) return [row];
    return [row, ...(await againstRows(url, pool, TENANT, size.against, size.polls))];
  } finally {
    await pool.end();
    await drop();
  }
}

/** On a database of its own: its meters and publishes are no part of the history. */
async function silentMeters(postgres: BenchPostgres, { meterCount, polls }: HistorySize): Promise<Row> {
  const { url, drop } = await databaseBeside(postgres, 'silent');
  await prepareStorage(url, false, silent);
  const pool = openPool({ connectionString: url, max: 8 });
  try {
    return await silentMetersRow(url, pool, meterCount, polls);
  } finally {
    await pool.end();
    await drop();
  }
}

/** quickcheck over HTTP at each size of history, uncached and as a poll that has seen it, and as plain SQL. */
async function quickcheckRows(url: string, pool: pg.Pool, size: HistorySize): Promise<Row[]> {
  const rows: Row[] = [];
  let stored = 0;
  let firstP95: number | undefined;
  for (const days of size.days) {
    await storeDays(pool, size.meterCount, stored, days);
    stored = days;
    await pool.query('ANALYZE');
    const polled = await pollQuickcheck(url, size.polls);
    const p95 = quantile(polled.full, 0.95);
    firstP95 ??= p95;
    rows.push({
      ...polledRow(polled, size.meterCount, days),
      ratio: `${(p95 / firstP95).toFixed(2)} × that of one day`,
      target: days === 1 ? 'p95 ≤ 25 ms' : 'p95 ≤ 25 ms, ≤ 3 ×',
    });
    // Minutes at 72 M reads: not at every size.
    if (days !== size.days[0] && days !== size.days.at(-1)) continue;
    const plainMs = await plainSqlMs(pool);
    rows.push({
      what: 'the same four views as plain SQL over the reads',
      measured: `${thousands(plainMs)} ms`,
      ratio: `${thousands(plainMs / median(polled.full))} × quickcheck`,
      target: '',
    });
  }
  return rows;
}

/** Stores days `[from, to)`: the first by the worker's own way, the others as copies of it a day later each. */
export async function storeDays(pool: pg.Pool, meterCount: number, from: number, to: number): Promise<void> {
  let next = from;
  if (next === 0) {
    const history = { tenantId: TENANT, meterCount, feederCount: 25 };
    await writeHistory(pool, { ...history, from: new Date(FIRST_DAY), quarterHours: 96 });
    next = 1;
  }
  for (let day = next; day < to; day += 1)
    await pool.query('SELECT ami_ensure_read_partition($1)', [new Date(FIRST_DAY + day * MS_PER_DAY)]);
  const lane = async (): Promise<void> => {
    while (next < to) {
      const day = next++;
      await pool.query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags)
         SELECT tenant_id, meter_id, feeder_id, read_at + $1 * interval '1 day', kwh, delivered_kwh, voltage, quality_flags
         FROM meter_reads_electric WHERE read_at >= $2 AND read_at < $3`,
        [day, new Date(FIRST_DAY), new Date(FIRST_DAY + MS_PER_DAY)],
      );
    }
  };
  await Promise.all([lane(), lane()]);
}

interface Polled {
  full: number[];
  unchanged: number[];
}

function polledRow({ full, unchanged }: Polled, meterCount: number, days: number) {
  return {
    what: `quickcheck over HTTP, ${days} ${days === 1 ? 'day' : 'days'} (${thousands(meterCount * 96 * days)} reads)`,
    measured: `p50 ${median(full).toFixed(1)} ms, p95 ${quantile(full, 0.95).toFixed(1)} ms; unchanged (304) p50 ${median(unchanged).toFixed(1)} ms`,
  };
}

/** Milliseconds of each poll, one after the other: without a tag, and with the tag of what was seen. */
async function pollQuickcheck(url: string, polls: number): Promise<Polled> {
  const env = { DATABASE_URL: url, GRIDLENS_API_KEY: 'bench-key-0123456789' };
  const config = loadConfig(env, { command: 'api', cwd: '/nonexistent' });
  const context = await createContext('api', config, API_POOL, { log: silent });
  const server = createServer(composeApi(context)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const path = `http://127.0.0.1:${port}/api/ami/kpi/quickcheck?tenantId=${TENANT}`;
  let tag = '';
  const poll = async (headers: Record<string, string>, status: number): Promise<number> => {
    const startedAt = performance.now();
    const answer = await fetch(path, { headers });
    await answer.text();
    if (answer.status !== status) throw new Error(`quickcheck answered ${answer.status}`);
    tag = answer.headers.get('etag') ?? '';
    return performance.now() - startedAt;
  };
  const full: number[] = [];
  const unchanged: number[] = [];
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await poll({}, 200);
  for (let count = 0; count < polls; count += 1) {
    full.push(await poll({}, 200));
    unchanged.push(await poll({ 'If-None-Match': tag }, 304));
  }
  server.closeAllConnections();
  server.close();
  await context.close();
  return { full, unchanged };
}

async function plainSqlMs(pool: pg.Pool): Promise<number> {
  const startedAt = performance.now();
  for (const { truth } of Object.values(KPI_VIEWS)) await pool.query(truth, [TENANT]);
  return performance.now() - startedAt;
}

async function diskRow(pool: pg.Pool): Promise<Row> {
  const { rows } = await pool.query<{ reads: number; rollups: number; count: number }>(
    `SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
             WHERE inhparent = 'meter_reads_electric'::regclass)::double precision AS reads,
       (SELECT sum(pg_total_relation_size(oid)) FROM pg_class
        WHERE relname IN ('ami_feeder_intervals', 'ami_feeder_days', 'ami_meter_anomalies'))::double precision AS rollups,
       (SELECT sum(reads) FROM ami_feeder_days)::double precision AS count`,
  );
  const { reads, rollups, count } = rows[0] as (typeof rows)[number];
  return {
    what: 'disk of a read, with its index',
    measured: `${(reads / count).toFixed(0)} bytes, and ${(rollups / count).toFixed(2)} of rollups`,
    ratio: (rollups / reads).toFixed(4),
    target: '',
  };
}

/** The write path on the day after the history against the same on a table without one, in turn. */
async function writeRateRow(full: pg.Pool, empty: pg.Pool, size: HistorySize): Promise<Row> {
  const { meterCount, rounds, slots } = size;
  const start = FIRST_DAY + Math.max(...size.days) * MS_PER_DAY;
  const rates = { full: [] as number[], empty: [] as number[] };
  const write = async (pool: pg.Pool, round: number): Promise<number> => {
    const from = new Date(start + round * slots * 900_000);
    const history = { tenantId: TENANT, meterCount, feederCount: 25, from, quarterHours: slots };
    const jobs = await acceptHistory(pool, history);
    await pool.query('CHECKPOINT');
    const runner = createBatchRunner(pool, UNLIMITED);
    return timedJobs(jobs, (job) => runner.run(job, false, 'live'));
  };
  // Round 0 makes both know the meters, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    const ways = [
      async () => rates.full.push(await write(full, round)),
      async () => rates.empty.push(await write(empty, round)),
    ];
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) await way();
  }
  const kept = { full: rates.full.slice(1), empty: rates.empty.slice(1) };
  const ratio = median(kept.full.map((rate, round) => rate / (kept.empty[round] as number)));
  return {
    what: `write path after ${Math.max(...size.days)} days against an empty table`,
    measured: `${thousands(median(kept.full))} against ${thousands(median(kept.empty))} reads/s`,
    ratio: ratio.toFixed(2),
    target: '≥ 0.95',
  };
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type pg from 'pg';
import pino from 'pino';
import { composeApi } from '../../src/process/apiProcess.js';
import { loadConfig } from '../../src/process/config.js';
import { API_POOL, createContext, prepareStorage } from '../../src/process/context.js';
import { openPool } from '../support/openPool.js';
import { median, quantile } from '../support/quantiles.js';
import { type BenchPostgres, databaseBeside } from './benchPostgres.js';
import type { Row } from './report.js';

const TENANT = 'SERIES';
const FROM = '2026-01-01T00:00:00Z';
const DAYS = 30;
const silent = pino({ level: 'silent' });

/**
 * The heat map of a month of 40 feeders over HTTP, on a database of the rollup rows alone that 72 M reads would leave:
 * series of feeders ask nothing else. First without anything kept, then as polls, then just after a write into the last day.
 */
export async function seriesRows(postgres: BenchPostgres, polls: number): Promise<Row[]> {
  const { url, drop } = await databaseBeside(postgres, 'series');
  await prepareStorage(url, false, silent);
  const pool = openPool({ connectionString: url, max: 4 });
  try {
    await fillRollups(pool, TENANT, { from: new Date(FROM), days: DAYS });
    return await pollMatrix(url, pool, polls);
  } finally {
    await pool.end();
    await drop();
  }
}

/** The rollups of days of quarter hours of 40 feeders of 625 meters; of 30 days they are those of 72 M reads. */
export async function fillRollups(
  pool: pg.Pool,
  tenantId: string,
  { from, days }: { from: Date; days: number },
): Promise<void> {
  await pool.query(
    `INSERT INTO ami_feeder_intervals (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage,
       low_voltage_reads, high_voltage_reads)
     SELECT $1, read_at, 'FEEDER_' || feeder, 625, round((150 + 50 * random())::numeric, 4), 0, 205.1234,
       round((116 + 3 * random())::numeric, 2), 0, 0
     FROM generate_series($2::timestamptz, $2::timestamptz + $3 * interval '1 day' - interval '1 min', interval '15 min') AS read_at,
       generate_series(1, 40) AS feeder`,
    [tenantId, from, days],
  );
  await pool.query(
    `INSERT INTO ami_feeder_days (tenant_id, day, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh, min_voltage,
       low_voltage_reads, high_voltage_reads, quarter_hours, max_interval_reads, latest_read_at, changed_at)
     SELECT tenant_id, ami_utc_day(read_at), feeder_id, sum(reads), sum(kwh), 0, sum(delivered_kwh), min(min_voltage), 0, 0,
       bit_or(ami_quarter_hour_bit(read_at)), max(reads), max(read_at), now()
     FROM ami_feeder_intervals GROUP BY 1, 2, 3`,
  );
  await pool.query('ANALYZE');
}

const TO = new Date(Date.parse(FROM) + DAYS * 86_400_000).toISOString();

async function pollMatrix(url: string, pool: pg.Pool, polls: number): Promise<Row[]> {
  const env = { DATABASE_URL: url, GRIDLENS_API_KEY: 'bench-key-0123456789' };
  const config = loadConfig(env, { command: 'api', cwd: '/nonexistent' });
  const context = await createContext('api', config, API_POOL, { log: silent });
  const server = createServer(composeApi(context)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const path = `http://127.0.0.1:${port}/api/ami/kpi/feeders/intervals?tenantId=${TENANT}&from=${FROM}&to=${TO}`;
  let tag = '';
  const poll = async (headers: Record<string, string>, status: number): Promise<number> => {
    const startedAt = performance.now();
    const answer = await fetch(path, { headers });
    const text = await answer.text();
    const ms = performance.now() - startedAt;
    if (answer.status !== status)
      throw new Error(`the matrix answered ${answer.status}: ${text.slice(0, 200)}`);
    tag = answer.headers.get('etag') ?? '';
    return ms;
  };
  const first = await poll({}, 200);
  const times = { full: [] as number[], unchanged: [] as number[], written: [] as number[] };
  for (let count = 0; count < polls; count += 1) {
    times.full.push(await poll({}, 200));
    times.unchanged.push(await poll({ 'If-None-Match': tag }, 304));
  }
  for (let count = 0; count < polls / 3; count += 1) {
    await pool.query(
      `UPDATE ami_feeder_days SET version = DEFAULT WHERE feeder_id = 'FEEDER_1' AND day = $1`,
      ['2026-01-30'],
    );
    times.written.push(await poll({ 'If-None-Match': tag }, 200));
  }
  server.closeAllConnections();
  server.close();
  await context.close();
  const row = (what: string, measured: readonly number[], target: string): Row => ({
    what: `a month of hours of 40 feeders, ${what}`,
    measured: `p50 ${median(measured).toFixed(1)} ms, p95 ${quantile(measured, 0.95).toFixed(1)} ms; the first of all ${first.toFixed(0)} ms`,
    ratio: `${(quantile(measured, 0.95) / quantile(times.full, 0.95)).toFixed(2)} × the whole answer`,
    target,
  });
  return [
    row('over HTTP', times.full, 'p95 ≤ 30 ms'),
    row('unchanged (304)', times.unchanged, ''),
    row('just after a write', times.written, 'p95 ≤ 30 ms'),
  ];
}

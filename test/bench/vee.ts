import type pg from 'pg';
import pino from 'pino';
import { prepareStorage } from '../../src/process/context.js';
import type { SchemaMapping } from '../../src/schema/mapping.js';
import { insertRun } from '../../src/vee/runs.js';
import { createVeeWorker } from '../../src/vee/worker.js';
import { openPool } from '../support/openPool.js';
import { postgresCpu } from '../support/postgresCpu.js';
import { median } from '../support/quantiles.js';
import { type BenchPostgres, databaseBeside } from './benchPostgres.js';
import { type Row, thousands } from './report.js';

const TENANT = 'VALIDATED';
const INTERVAL = Date.parse('2026-03-15T18:00:00Z');
const DAY = 86_400_000;
const QUARTER_HOUR = 900_000;
const silent = pino({ level: 'silent' });

/** What a run over one interval took: seconds of wall time, of this process's CPU and of Postgres's. */
interface Took {
  wall: number;
  node: number;
  postgres: number;
  /** By how much the process grew, MB. */
  grown: number;
}

/**
 * One interval of a fleet validated by the worker, with two weeks of history. Of so many meters whole days are stored; of
 * a whole fleet only the times of the days that the interval is compared with, which is what the run reads of them.
 *
 * @param meters with whole days, and of the fleet.
 */
export async function veeRows(
  postgres: BenchPostgres,
  meters: { wholeDays: number; fleet: number },
  rounds: number,
): Promise<Row[]> {
  const whole = await measured(postgres, meters.wholeDays, 'days', rounds);
  const fleet = await measured(postgres, meters.fleet, 'times', rounds);
  return [
    row(`${thousands(meters.wholeDays)} meters with 14 whole days`, whole, meters.wholeDays),
    row(`${thousands(meters.fleet)} meters`, fleet, meters.fleet),
  ];
}

function row(what: string, { wall, node, postgres, grown }: Took, meterCount: number): Row {
  const of25k = 25_000 / meterCount;
  return {
    what: `validation of an interval of ${what}`,
    measured: `${wall.toFixed(2)} s; CPU ${node.toFixed(2)} s of Node, ${postgres.toFixed(2)} s of Postgres; ${grown.toFixed(0)} MB more at the end`,
    ratio: ((wall * of25k) / 10).toFixed(2),
    target: '25,000 meters ≤ 10 s, Node ≤ 3 s of CPU',
  };
}

async function measured(
  postgres: BenchPostgres,
  meterCount: number,
  history: 'days' | 'times',
  rounds: number,
): Promise<Took> {
  const { url, drop } = await databaseBeside(postgres, 'vee');
  const schema = await prepareStorage(url, false, silent);
  const pool = openPool({ connectionString: url, max: 4 });
  try {
    await fill(pool, meterCount, history);
    const took: Took[] = [];
    for (let round = 0; round <= rounds; round += 1) took.push(await validated(pool, schema));
    // The first run finds caches cold and code not yet compiled.
    const rest = took.slice(1);
    const middle = (of: keyof Took): number => median(rest.map((one) => one[of]));
    return {
      ...{ wall: middle('wall'), node: middle('node'), postgres: middle('postgres') },
      grown: middle('grown'),
    };
  } finally {
    await pool.end();
    await drop();
  }
}

async function validated(pool: pg.Pool, schema: Pick<SchemaMapping, 'reads'>): Promise<Took> {
  const span = { from: new Date(INTERVAL), to: new Date(INTERVAL + QUARTER_HOUR) };
  const { runId } = await insertRun(pool, {
    ...{ tenantId: TENANT, ...span, origin: 'interval', estimate: false, registers: [], requestId: null },
  });
  const worker = createVeeWorker({ database: pool, schema, now: () => new Date(INTERVAL + DAY) });
  const [memory, cpu, server, startedAt] = [
    process.memoryUsage.rss(),
    process.cpuUsage(),
    await postgresCpu(pool),
    performance.now(),
  ];
  for (let state = ''; state !== 'done'; ) {
    await worker.work();
    const { rows } = await pool.query('SELECT state, failure FROM ami_vee_runs WHERE run_id = $1', [runId]);
    state = rows[0].state;
    if (rows[0].failure !== null) throw new Error(rows[0].failure);
  }
  const used = process.cpuUsage(cpu);
  return {
    wall: (performance.now() - startedAt) / 1_000,
    node: (used.user + used.system) / 1e6,
    postgres: (await postgresCpu(pool)) - server,
    grown: (process.memoryUsage.rss() - memory) / 2 ** 20,
  };
}

/** Reads as a worker stores them, an interval after the other, and what the rollups say of the newest. */
async function fill(pool: pg.Pool, meterCount: number, history: 'days' | 'times'): Promise<void> {
  await pool.query('ALTER TABLE meter_reads_electric DISABLE TRIGGER USER');
  for (let day = 14; day >= 0; day -= 1) {
    const at = INTERVAL - day * DAY;
    const midnight = Math.floor(at / DAY) * DAY;
    await pool.query('SELECT ami_ensure_read_partition($1::date)', [
      new Date(midnight).toISOString().slice(0, 10),
    ]);
    const [from, to] =
      history === 'days' && day > 0
        ? [midnight, midnight + DAY]
        : [at - QUARTER_HOUR, at + QUARTER_HOUR * (day > 0 ? 2 : 1)];
    for (let start = from; start < to; start += QUARTER_HOUR)
      await pool.query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
         SELECT $1, 'METER_' || lpad(n::text, 5, '0'), 'FEEDER_' || n % 25, $2, round((0.1 + random() * 0.6)::numeric, 4),
           round((0.7 + random() * 0.1)::numeric, 4), round((118 + random() * 6)::numeric, 1)
         FROM generate_series(1, $3::integer) AS n`,
        [TENANT, new Date(start), meterCount],
      );
  }
  await pool.query('ALTER TABLE meter_reads_electric ENABLE TRIGGER USER');
  await pool.query(
    `INSERT INTO ami_known_meters (tenant_id, meter_id, feeder_id)
     SELECT tenant_id, meter_id, feeder_id FROM meter_reads_electric WHERE read_at = $1`,
    [new Date(INTERVAL)],
  );
  await pool.query(
    `INSERT INTO ami_feeder_intervals (tenant_id, read_at, feeder_id, reads, kwh, unmetered_kwh, delivered_kwh,
       low_voltage_reads, high_voltage_reads)
     SELECT $1, $2, 'FEEDER_' || n % 25, 1000, 1, 0, 1, 0, 0 FROM generate_series(0, 24) AS n`,
    [TENANT, new Date(INTERVAL)],
  );
  await pool.query('VACUUM (ANALYZE) meter_reads_electric, ami_known_meters');
}

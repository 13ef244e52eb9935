import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { BatchJob } from '../../src/contracts/batchJob.js';
import type { ReadColumns } from '../../src/emulator/reads.js';
import { currentFleet } from '../../src/registry/currentFleet.js';
import type { RegistryMapping } from '../../src/schema/mapping.js';
import { generateBatch } from '../../src/writing/amiEmulator.js';
import { type BatchRunner, createBatchRunner } from '../../src/writing/batchRunner.js';
import { acceptHistory, CONCURRENCY, timedJobs, UNLIMITED } from '../support/history.js';

const TENANT = 'BENCH';
const METERS = 25_000;
const BATCH = 500;
const DAY = Date.UTC(2026, 0, 1);
const COLUMNS = 'tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags';

/** Jobs of `slots` quarter hours of a 25,000-meter fleet, each slot a publish of the ledger. */
function acceptedJobs(pool: pg.Pool, slots: number, firstMs = DAY, snapshotId?: string): Promise<BatchJob[]> {
  const from = new Date(firstMs);
  return acceptHistory(pool, {
    tenantId: TENANT,
    meterCount: METERS,
    feederCount: 25,
    from,
    quarterHours: slots,
    ...(snapshotId === undefined ? {} : { snapshotId }),
  });
}

/**
 * Tables with the interval before in them and nothing else: each way starts from the same place, the fleet's
 * meters already known to the rollups and the runner, as in every interval of a fleet's life but its first.
 */
async function reset(
  pool: pg.Pool,
  runner: BatchRunner = createBatchRunner(pool, UNLIMITED),
  snapshotId?: string,
): Promise<void> {
  await pool.query('TRUNCATE ami_publishes CASCADE');
  await pool.query('TRUNCATE meter_reads_electric');
  for (const day of ['2025-12-31', '2026-01-01'])
    await pool.query('SELECT ami_ensure_read_partition($1)', [day]);
  const before = await acceptedJobs(pool, 1, DAY - 900_000, snapshotId);
  await timedJobs(before, (job) => runner.run(job, false, 'live'));
  await pool.query('TRUNCATE ami_publishes CASCADE');
  await pool.query('DROP TABLE IF EXISTS bench_bare');
  await pool.query(
    'CREATE TABLE bench_bare (LIKE meter_reads_electric INCLUDING DEFAULTS) PARTITION BY RANGE (read_at)',
  );
  await pool.query('ALTER TABLE bench_bare ADD UNIQUE (tenant_id, meter_id, read_at)');
  await pool.query(
    `CREATE TABLE bench_bare_day PARTITION OF bench_bare FOR VALUES FROM ('2026-01-01 00:00Z') TO ('2026-01-02 00:00Z')`,
  );
  await pool.query('CHECKPOINT');
}

/** The worker's own way: claim, one `unnest` statement, ledger, rollups; without the read limit. */
export async function measureWorker(
  pool: pg.Pool,
  slots: number,
  rollups: 'with' | 'without' = 'with',
  snapshotId?: string,
): Promise<number> {
  const runner = createBatchRunner(pool, UNLIMITED);
  await reset(pool, runner, snapshotId);
  const jobs = await acceptedJobs(pool, slots, DAY, snapshotId);
  const triggers = (does: 'ENABLE' | 'DISABLE') =>
    pool.query(`ALTER TABLE meter_reads_electric ${does} TRIGGER USER`);
  if (rollups === 'without') await triggers('DISABLE');
  try {
    return await timedJobs(jobs, (job) => runner.run(job, false, 'live'));
  } finally {
    await triggers('ENABLE');
  }
}

/** Fills the tenant's registry with a fleet as large, of names as long, and answers the snapshot of it. */
export async function registeredFleet(pool: pg.Pool, registry: RegistryMapping): Promise<string> {
  await pool.query(
    `INSERT INTO feeders (tenant_id, feeder_id) SELECT $1, 'CIRCUIT_' || n FROM generate_series(1, 25) n`,
    [TENANT],
  );
  await pool.query(
    `INSERT INTO meters (tenant_id, meter_id, feeder_id)
     SELECT $1, $1 || '-SER-' || lpad(n::text, 5, '0'), 'CIRCUIT_' || n % 25 + 1 FROM generate_series(1, $2::integer) n`,
    [TENANT, METERS],
  );
  const { snapshotId } = await currentFleet(pool, registry, TENANT);
  if (snapshotId === null) throw new Error('the registry of the bench is empty');
  return snapshotId;
}

/** The ceiling: `COPY` of the same rows in the same batches, into `table`. */
export async function measureCopy(
  pool: pg.Pool,
  slots: number,
  table: 'bench_bare' | 'meter_reads_electric',
): Promise<number> {
  await reset(pool);
  const jobs = await acceptedJobs(pool, slots);
  return timedJobs(jobs, async (job) => {
    const text = copyText(job, generateBatch(job, []));
    const client = await pool.connect();
    try {
      await pipeline(Readable.from([text]), client.query(copyFrom(`COPY ${table} (${COLUMNS}) FROM STDIN`)));
    } finally {
      client.release();
    }
  });
}

/** The naive way: one row a statement, each its own transaction. */
export async function measureSingleRows(pool: pg.Pool, rows: number): Promise<number> {
  await reset(pool);
  const jobs = (await acceptedJobs(pool, 1)).slice(0, Math.ceil(rows / BATCH));
  const sql = `INSERT INTO meter_reads_electric (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (tenant_id, meter_id, read_at) DO NOTHING`;
  const lanes = jobs.flatMap((job) => {
    const size = Math.ceil((job.to - job.from) / CONCURRENCY);
    return Array.from({ length: CONCURRENCY }, (_, lane) => ({
      ...job,
      from: job.from + lane * size,
      to: Math.min(job.to, job.from + (lane + 1) * size),
    }));
  });
  return timedJobs(lanes, async (job) => {
    const columns = generateBatch(job, []);
    for (const [index, meterId] of columns.meterIds.entries()) {
      const values = [columns.feederIds[index], job.readAt, columns.kwh[index], columns.deliveredKwh[index]];
      const rest = [columns.voltage[index], columns.qualityFlags[index]];
      await pool.query({ name: 'single-row', text: sql, values: [TENANT, meterId, ...values, ...rest] });
    }
  });
}

function copyText(job: BatchJob, columns: ReadColumns): string {
  const readAt = job.readAt.toISOString();
  let text = '';
  for (const [index, meterId] of columns.meterIds.entries()) {
    const flags = `{${columns.qualityFlags[index]?.join(',') ?? ''}}`;
    text += `${TENANT}\t${meterId}\t${columns.feederIds[index]}\t${readAt}\t${columns.kwh[index]}\t${columns.deliveredKwh[index]}\t${columns.voltage[index]}\t${flags}\n`;
  }
  return text;
}

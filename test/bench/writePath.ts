import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { BatchJob } from '../../src/contracts/batchJob.js';
import { withTransaction } from '../../src/db.js';
import { defaultSeed } from '../../src/emulator/random.js';
import type { ReadColumns } from '../../src/emulator/reads.js';
import { generateBatch } from '../../src/services/amiEmulator.js';
import { createBatchRunner } from '../../src/services/batchRunner.js';
import { recordPublishes } from '../../src/stores/publishLedger.js';

const TENANT = 'BENCH';
const METERS = 25_000;
const BATCH = 500;
/** Jobs a worker runs at once by default. */
const CONCURRENCY = 8;
const DAY = Date.UTC(2026, 0, 1);
/** The write path without the read limit. */
const UNLIMITED = { turn: async () => new Date(), close: () => undefined };
const COLUMNS = 'tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags';

/** Jobs of `slots` quarter hours of a 25,000-meter fleet, each slot a publish of the ledger. */
async function acceptedJobs(pool: pg.Pool, slots: number, firstMs = DAY): Promise<BatchJob[]> {
  const jobs: BatchJob[] = [];
  for (let slot = 0; slot < slots; slot += 1) {
    const publishId = `00000000-0000-4000-8000-${String(slot).padStart(12, '0')}`;
    const batchCount = METERS / BATCH;
    const publish = {
      publishId,
      tenantId: TENANT,
      origin: 'manual' as const,
      readAt: new Date(firstMs + slot * 900_000),
      intervalMinutes: 15 as const,
      seed: defaultSeed(TENANT),
      meterCount: METERS,
      feederCount: 25,
      batchSize: BATCH,
      batchCount,
      onConflict: 'nothing' as const,
      requestId: null,
    };
    const batches = Array.from({ length: batchCount }, (_, number) => ({
      publishId,
      number,
      tenantId: TENANT,
      meters: BATCH,
      dueInMs: 0,
    }));
    await withTransaction(pool, (client) => recordPublishes(client, [publish], batches));
    for (const { number } of batches) {
      jobs.push({
        ...publish,
        requestId: undefined,
        batch: number,
        fleet: { meterCount: METERS, feederCount: 25 },
        from: number * BATCH,
        to: (number + 1) * BATCH,
      });
    }
  }
  return jobs;
}

/**
 * Tables with the interval before in them and nothing else: each way starts from the same place, the fleet's
 * meters already known to the counters, as in every interval of a fleet's life but its first.
 */
async function reset(pool: pg.Pool): Promise<void> {
  await pool.query('TRUNCATE ami_publishes CASCADE');
  await pool.query('TRUNCATE meter_reads_electric');
  for (const day of ['2025-12-31', '2026-01-01'])
    await pool.query('SELECT ami_ensure_read_partition($1)', [day]);
  const before = await acceptedJobs(pool, 1, DAY - 900_000);
  await timed(before, (job) => createBatchRunner(pool, UNLIMITED).run(job, false));
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

/** Runs all jobs, eight at a time, and answers rows per second, from generation to commit. */
async function timed(jobs: readonly BatchJob[], work: (job: BatchJob) => Promise<unknown>): Promise<number> {
  let next = 0;
  let rows = 0;
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      await work(job);
      rows += job.to - job.from;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return rows / ((performance.now() - startedAt) / 1000);
}

/** The worker's own way: claim, one `unnest` statement, ledger, counters; without the read limit. */
export async function measureWorker(pool: pg.Pool, slots: number): Promise<number> {
  await reset(pool);
  const jobs = await acceptedJobs(pool, slots);
  const runner = createBatchRunner(pool, UNLIMITED);
  return timed(jobs, (job) => runner.run(job, false));
}

/** The ceiling: `COPY` of the same rows in the same batches, into `table`. */
export async function measureCopy(
  pool: pg.Pool,
  slots: number,
  table: 'bench_bare' | 'meter_reads_electric',
): Promise<number> {
  await reset(pool);
  const jobs = await acceptedJobs(pool, slots);
  return timed(jobs, async (job) => {
    const text = copyText(job, generateBatch(job));
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
  return timed(lanes, async (job) => {
    const columns = generateBatch(job);
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

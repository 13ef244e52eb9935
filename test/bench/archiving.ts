import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type pg from 'pg';
import type { ArchiveResult } from '../../src/archive/archive.js';
import { DIRECT } from '../../src/db/pooling.js';
import type { ArchiveTask } from '../../src/process/archiving.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { acceptHistory, timedJobs, UNLIMITED } from '../support/history.js';
import { type Row, thousands } from './report.js';

const THREAD = fileURLToPath(new URL('../../dist/process/archiveThread.js', import.meta.url));
const DAY = '2025-03-01';

/** A day of so many meters archived and dropped in a thread, beside a worker that writes as fast as it can. */
export async function archiveRows(
  pool: pg.Pool,
  databaseUrl: string,
  meterCount: number,
  slots: number,
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-archive-'));
  try {
    await pool.query('SELECT ami_ensure_read_partition($1::date)', [DAY]);
    for (let hour = 0; hour < 24; hour += 1)
      await pool.query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
         SELECT 'ARCHIVED', 'M-' || lpad(n::text, 5, '0'), 'F' || n % 25, at, round((random() * 0.6)::numeric, 4),
           round((0.6 + random() * 0.1)::numeric, 4), round((118 + random() * 6)::numeric, 1)
         FROM generate_series(1, $2::integer) AS n, generate_series($1::timestamptz, $1::timestamptz + interval '45 min', '15 min') AS at`,
        [`${DAY}T${String(hour).padStart(2, '0')}:00:00Z`, meterCount],
      );
    const alone = await writeRate(pool, '2026-01-01', slots);
    const startedAt = performance.now();
    const archived = onThread({
      ...{
        folder,
        readsRetentionDays: 1,
        now: new Date(`2025-03-03T00:00:00Z`),
        databaseUrl,
        pooling: DIRECT,
      },
    }).then((result) => ({ result, seconds: (performance.now() - startedAt) / 1_000 }));
    const beside = await writeRate(pool, '2026-01-02', slots);
    const { result, seconds } = await archived;
    if (result.failure || !result.archived.includes(DAY)) throw new Error(JSON.stringify(result));
    const names = await readdir(join(folder, `day=${DAY}`));
    const sizes = await Promise.all(names.map((name) => stat(join(folder, `day=${DAY}`, name))));
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    const reads = 96 * meterCount;
    return [
      {
        what: `archive of a day of ${thousands(meterCount)} meters, read back and dropped, beside a worker at full rate`,
        measured: `${seconds.toFixed(1)} s, ${(bytes / reads).toFixed(2)} bytes a read`,
        ratio: (seconds / 60).toFixed(2),
        target: '≤ 60 s',
      },
      {
        what: 'write path beside the archive against alone',
        measured: `${thousands(beside)} against ${thousands(alone)} rows/s`,
        ratio: (beside / alone).toFixed(2),
        target: '',
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rows a second of the worker's own way, without the read limit. */
async function writeRate(pool: pg.Pool, day: string, slots: number): Promise<number> {
  const runner = createBatchRunner(pool, UNLIMITED);
  const jobs = await acceptHistory(pool, {
    ...{ tenantId: 'BENCH', meterCount: 25_000, feederCount: 25, from: new Date(day), quarterHours: slots },
  });
  return timedJobs(jobs, (job) => runner.run(job, false, 'live'));
}

function onThread(workerData: ArchiveTask): Promise<ArchiveResult> {
  return new Promise((resolve, reject) => {
    new Worker(THREAD, { workerData }).once('message', resolve).once('error', reject);
  });
}

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type pg from 'pg';
import type { ArchiveResult } from '../../src/archive/archive.js';
import { MAX_READS_PER_SECOND } from '../../src/contracts/limits.js';
import { DIRECT } from '../../src/db/pooling.js';
import type { ArchiveTask } from '../../src/process/archiving.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { acceptHistory, UNLIMITED } from '../support/history.js';
import { quantile } from '../support/quantiles.js';
import { type Row, thousands } from './report.js';

const THREAD = fileURLToPath(new URL('../../dist/process/archiveThread.js', import.meta.url));
const DAY = '2025-03-01';

/** A day of so many meters archived and dropped in a thread, beside ticks that come at the read limit. */
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
    const alone = await lateness(pool, '2026-01-01', slots / 4);
    let isOver = false;
    const startedAt = performance.now();
    const archived = onThread({
      ...{
        folder,
        readsRetentionDays: 1,
        now: new Date(`2025-03-03T00:00:00Z`),
        databaseUrl,
        pooling: DIRECT,
      },
    })
      .then((result) => ({ result, seconds: (performance.now() - startedAt) / 1_000 }))
      .finally(() => {
        isOver = true;
      });
    const beside = await lateness(pool, '2026-01-02', slots, () => isOver);
    const { result, seconds } = await archived;
    if (result.failure || !result.archived.includes(DAY)) throw new Error(JSON.stringify(result));
    const names = await readdir(join(folder, `day=${DAY}`));
    const sizes = await Promise.all(names.map((name) => stat(join(folder, `day=${DAY}`, name))));
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    const reads = 96 * meterCount;
    return [
      {
        what: `archive of a day of ${thousands(meterCount)} meters, read back and dropped, beside ticks at ${thousands(MAX_READS_PER_SECOND)} reads/s`,
        measured: `${seconds.toFixed(1)} s, ${(bytes / reads).toFixed(2)} bytes a read`,
        ratio: (seconds / 60).toFixed(2),
        target: '≤ 60 s',
      },
      {
        what: 'batches of the ticks done after they were due, beside the archive and alone: median, 95 of 100',
        measured: `${milliseconds(beside)} against ${milliseconds(alone)}`,
        ratio: (quantile(beside, 0.5) / quantile(alone, 0.5)).toFixed(2),
        target: '',
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * How long after it was due each batch was done, ms: batches come at the read limit, as those of a tick do, until the history is
 * written or it is enough.
 */
async function lateness(
  pool: pg.Pool,
  day: string,
  slots: number,
  isEnough: () => boolean = () => false,
): Promise<number[]> {
  const runner = createBatchRunner(pool, UNLIMITED);
  const jobs = await acceptHistory(pool, {
    ...{ tenantId: 'BENCH', meterCount: 25_000, feederCount: 25, from: new Date(day), quarterHours: slots },
  });
  const late: number[] = [];
  const under: Promise<unknown>[] = [];
  let dueAt = performance.now();
  for (const job of jobs) {
    if (isEnough()) break;
    await sleep(dueAt - performance.now());
    const due = dueAt;
    under.push(runner.run(job, false, 'live').then(() => late.push(performance.now() - due)));
    dueAt += ((job.to - job.from) / MAX_READS_PER_SECOND) * 1_000;
  }
  await Promise.all(under);
  return late;
}

const milliseconds = (late: readonly number[]): string =>
  `${thousands(quantile(late, 0.5))}, ${thousands(quantile(late, 0.95))} ms`;

function onThread(workerData: ArchiveTask): Promise<ArchiveResult> {
  return new Promise((resolve, reject) => {
    new Worker(THREAD, { workerData }).once('message', resolve).once('error', reject);
  });
}

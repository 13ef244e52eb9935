import type pg from 'pg';
import { type BatchJob, batchJob } from '../../src/contracts/batchJob.js';
import type { Emulation } from '../../src/contracts/emulation.js';
import { withTransaction } from '../../src/db/db.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { batchRanges } from '../../src/ledger/batchRange.js';
import { recordPublishes } from '../../src/ledger/publishLedger.js';
import { ensurePartitions } from '../../src/reads/partitions.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { syntheticPublish } from './publishRecords.js';

/** Quarter hours of one fleet that were published one after the other. */
export interface History {
  tenantId: string;
  meterCount: number;
  feederCount: number;
  from: Date;
  quarterHours: number;
  /** A snapshot of a registry, in place of the synthetic fleet. */
  snapshotId?: string;
  onConflict?: 'nothing' | 'update';
  /** By what its reads are made, where it is not model 1 with nothing behind the meters. */
  emulation?: Emulation;
}

/** The write path without the read limit: for tests and benchmarks on a database of their own alone. */
export const UNLIMITED = { turn: async () => new Date(), close: () => undefined };
const BATCH = 500;
/** Jobs a worker runs at once by default. */
export const CONCURRENCY = 8;

/** Accepts a history into the ledger, and answers its jobs in order of time. */
export async function acceptHistory(pool: pg.Pool, history: History): Promise<BatchJob[]> {
  const jobs: BatchJob[] = [];
  for (let slot = 0; slot < history.quarterHours; slot += 1) {
    const { tenantId, meterCount, feederCount, snapshotId = null, onConflict = 'nothing' } = history;
    const readAt = new Date(history.from.getTime() + slot * 900_000);
    const publish = {
      ...syntheticPublish({ tenantId, readAt, meterCount, feederCount, batchSize: BATCH, onConflict }),
      snapshotId,
      ...(history.emulation && { emulation: history.emulation }),
    };
    const { publishId } = publish;
    const batches = batchRanges(publish).map(({ number, from, to }) => {
      return { publishId, number, tenantId, meters: to - from, dueInMs: 0 };
    });
    await withTransaction(pool, async (client) => {
      await ensurePartitions(client, [readAt]);
      await recordPublishes(client, [publish], batches);
    });
    jobs.push(...batches.map(({ number }) => batchJob.parse(batchPayload(publish, number))));
  }
  return jobs;
}

/** Does `work` for all jobs, as many at a time as a worker does, in order of time; answers reads per second. */
export async function timedJobs(
  jobs: readonly BatchJob[],
  work: (job: BatchJob) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  let reads = 0;
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      await work(job);
      reads += job.to - job.from;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return reads / ((performance.now() - startedAt) / 1000);
}

/** Writes a whole history as a worker would, events and all, as fast as the database takes it. */
export async function writeHistory(pool: pg.Pool, history: History): Promise<number> {
  const runner = createBatchRunner(pool, UNLIMITED);
  return timedJobs(await acceptHistory(pool, history), (job) => runner.run(job, false, 'live'));
}

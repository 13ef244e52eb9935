import type pg from 'pg';
import { type BatchJob, batchesOf, batchJob } from '../../src/contracts/batchJob.js';
import { withTransaction } from '../../src/db/db.js';
import { insertEvent, type NewEvent, stopEvent } from '../../src/events/eventTable.js';
import { createLateDeliverySupplier } from '../../src/events/lateDelivery.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { batchRanges } from '../../src/ledger/batchRange.js';
import { type PublishRecord, recordPublishes } from '../../src/ledger/publishLedger.js';
import { createAdmission } from '../../src/publishing/admission.js';
import type { AmiQueue, QueuedBatch } from '../../src/queues/amiQueue.js';
import { ensurePartitions } from '../../src/reads/partitions.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { UNLIMITED } from './history.js';
import { syntheticPublish } from './publishRecords.js';
import type { TestDatabase } from './testDatabase.js';

export const QUARTER_MS = 900_000;

/** What late reads must leave as it would have been without them. */
export const LATE_FIGURES = [
  `SELECT meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage, quality_flags, quality FROM meter_reads_electric ORDER BY 1, 3`,
  `SELECT day, feeder_id, reads, kwh, delivered_kwh, min_voltage, low_voltage_reads, high_voltage_reads
   FROM ami_feeder_days ORDER BY 1, 2`,
  'SELECT day, feeder_id, reads, kwh, delivered_kwh, loss_pct FROM v_kpi_electric_feeder_loss_daily ORDER BY 1, 2',
  `SELECT day, reads, kwh, delivered_kwh, loss_pct, completeness_pct FROM v_kpi_electric_overview_daily ORDER BY 1`,
  `SELECT day, feeder_id, meter_id, suspicious_intervals, registered_kwh, delivered_kwh, first_interval_at, last_interval_at
   FROM v_kpi_suspicious_meters_daily ORDER BY 1, 2, 3`,
];

/** Reads, rollups and views in full. */
export async function figuresOf(pool: pg.Pool): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const query of LATE_FIGURES) found.push((await pool.query(query)).rows);
  return found;
}

/** Empties a database of reads, publishes and events. */
export async function forgetReads(database: TestDatabase): Promise<void> {
  for (const tables of ['meter_reads_electric', 'ami_publishes CASCADE', 'ami_events'])
    await database.truncate(tables);
}

/** Which job is run next, and whether one is run once more: numbers from 0 up to 1. */
export type Chance = () => number;

/** A fleet and its outages without a queue and without processes: every step is the test's, on the real SQL. */
export interface LateRun {
  setClock(now: Date): void;
  event(event: Partial<NewEvent> & Pick<NewEvent, 'feederId' | 'startAt' | 'endAt'>): Promise<string>;
  /** Ends an event at the clock's instant. */
  stop(id: string): Promise<void>;
  /** Accepts an interval of the fleet and writes it. */
  publish(readAt: Date, given?: Partial<PublishRecord>): Promise<void>;
  /** One pass of the supplier; answers what it has accepted. */
  supply(): Promise<QueuedBatch[]>;
  /** Runs jobs, in the order and as often as chance has it. */
  run(jobs: readonly QueuedBatch[]): Promise<void>;
  /** Delivers until nothing more is due; answers how many publishes that took. */
  deliverAll(): Promise<number>;
}

export interface LateRunOptions {
  tenantId: string;
  meterCount: number;
  feederCount: number;
  chance?: Chance;
  readsRetentionDays?: number;
}

export function createLateRun(pool: pg.Pool, options: LateRunOptions): LateRun {
  const { tenantId, meterCount, feederCount, chance = () => 0.5, readsRetentionDays } = options;
  let clock = new Date();
  const added: QueuedBatch[] = [];
  const queue = {
    counts: async () => ({ waiting: 0, delayed: 0, active: 0 }),
    add: async (jobs: readonly QueuedBatch[]) => void added.push(...jobs),
  } as unknown as AmiQueue;
  const admission = createAdmission({
    ...{ database: pool, queue, maxReadsPerSecond: 2_500 },
    onEnqueueFailed: (error) => {
      throw error;
    },
  });
  const supplier = createLateDeliverySupplier({
    ...{ database: pool, admission, readsRetentionDays },
    clock: async () => clock,
    now: () => clock,
  });
  const runner = createBatchRunner(pool, UNLIMITED);
  const runAll = async (given: readonly BatchJob[]): Promise<void> => {
    const jobs = [...given];
    while (jobs.length > 0) {
      const [job] = jobs.splice(Math.floor(chance() * jobs.length), 1);
      await runner.run(job as BatchJob, false, 'background');
      if (chance() < 0.2) await runner.run(job as BatchJob, true, 'background');
    }
  };

  const run: LateRun = {
    setClock(now) {
      clock = now;
    },
    async event(event) {
      const { id } = await insertEvent(pool, {
        ...{ tenantId, eventType: 'comms-outage', severity: 1, meterIds: null, meterFraction: null },
        ...{ delivery: event.eventType === undefined ? 'late' : null },
        ...event,
      });
      return id;
    },
    async stop(id) {
      await stopEvent(pool, id, clock);
    },
    async publish(readAt, given = {}) {
      const publish = syntheticPublish({ tenantId, readAt, meterCount, feederCount, ...given });
      await withTransaction(pool, async (client) => {
        await ensurePartitions(client, [readAt]);
        const { publishId } = publish;
        const batches = batchRanges(publish).map(({ number, from, to }) => {
          return { publishId, number, tenantId, meters: to - from, dueInMs: 0 };
        });
        await recordPublishes(client, [publish], batches);
      });
      await runAll(batchRanges(publish).map(({ number }) => batchJob.parse(batchPayload(publish, number))));
    },
    async supply() {
      await supplier.supply();
      return added.splice(0);
    },
    async run(jobs) {
      await runAll(jobs.flatMap(({ payload }) => batchesOf(batchJob.parse(payload))));
    },
    async deliverAll() {
      let publishes = 0;
      for (;;) {
        const jobs = await run.supply();
        publishes += jobs.length;
        // A pass without work settles what the one before has written.
        if (jobs.length === 0) return publishes;
        await run.run(jobs);
      }
    },
  };
  return run;
}

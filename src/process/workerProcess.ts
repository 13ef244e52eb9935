import { type Automatic, createAutomatic } from '../automatic/automatic.js';
import { createTenantClock } from '../automatic/tenantClock.js';
import { createBackfillSupplier } from '../backfill/supplier.js';
import { watchForReturn } from '../db/databaseReturn.js';
import { createLateDeliverySupplier } from '../events/lateDelivery.js';
import { createImportSupplier } from '../imports/supplier.js';
import { createBatchSlots } from '../pacing/batchSlots.js';
import { createStartPacer } from '../pacing/startPacer.js';

import { createMissingParts } from '../publishing/missingParts.js';

import { createHeartbeat } from '../status/heartbeat.js';
import { jittered, type Outcome, runPeriodically } from '../timing/periodic.js';
import { runUpkeep } from '../upkeep/upkeep.js';
import { createVeeWorker } from '../vee/worker.js';
import { decideConcurrency, START_CONCURRENCY } from '../writing/adaptiveConcurrency.js';
import { type BatchObserver, startAmiWorker } from '../writing/amiWorker.js';
import { createBatchRunner } from '../writing/batchRunner.js';
import { archiveDue, archives } from './archiving.js';
import type { Config } from './config.js';
import { logPostgres } from './connectionBudget.js';
import { type Context, createContext, WORKER_POOL } from './context.js';
import type { Running } from './lifecycle.js';
import { openWorkerMetrics } from './openMetrics.js';
import { createPublishing } from './services.js';
import { runWhileClocksAgree } from './whileClocksAgree.js';

const HEARTBEAT_MS = 5_000;
/** A lost batch is found within this time and its 20 s of grace. Partitions and retention need no more. */
const UPKEEP_MS = 10_000;
/** A day falls due once a day; one that could not be archived is tried again after this. */
const ARCHIVE_MS = 60_000;
const ADAPT_MS = 5_000;
/** One heartbeat job every 10 s. A worker that is well never misses four in a row. */
const HEARTBEAT_JOB_MS = 10_000;
/** A pass comes after one to two of these. It tries ticks that found no room again, and supplies the background. */
const PASS_MS = 1_000;
const WATCHDOG_MS = 30_000;
/** A run of validation goes on for some seconds at a time; where there is none, this is one look at an index. */
const VEE_MS = 1_000;
/**
 * Background jobs at once: one is written while the next waits for its start, and live work keeps the database. They
 * count within the worker's concurrency (D13), as far as that has room: see pacing/batchSlots.ts.
 */
const BACKGROUND_CONCURRENCY = 2;

/**
 * Starts a worker. Stopping goes in the order of the data: batches that only wait for their turn are handed
 * back, those being written end, then the queue, then the database. A process whose queue is broken for good ends:
 * whoever supervises it starts another.
 */
export async function startWorker(config: Config): Promise<Running> {
  // Exits at once, since a worker that turns in a circle lets nothing else run. Jobs under way run again elsewhere, and
  // their reads are written once.
  const onBroken = (): never => process.exit(1);
  const context = await createContext('worker', config, WORKER_POOL, { onBroken });
  const metrics = config.workerMetrics && openWorkerMetrics(context, config.workerMetrics);
  const closeMetrics = await metrics?.listen().catch(async (error: unknown) => {
    await context.close();
    throw error;
  });
  const worker = await runWhileClocksAgree(context, () => runWorker(context, undefined, metrics?.observer));
  await logPostgres(context);
  return {
    async stop() {
      await worker.stop();
      await closeMetrics?.();
      await context.close();
      context.log.info('worker stopped');
    },
  };
}

/** The worker over a context, which stays open when it stops; `now` is the wall clock but in tests. */
export function runWorker(context: Context, now = () => new Date(), observer?: BatchObserver): Running {
  const { config, database, queue, ticks, schema, log } = context;
  const adaptive = config.workerConcurrency === 'adaptive';
  const concurrency = config.workerConcurrency === 'adaptive' ? START_CONCURRENCY : config.workerConcurrency;

  const pacer = createStartPacer(database, config.maxReadsPerSecond);
  const slots = createBatchSlots(() => worker.concurrency);
  const runner = createBatchRunner(database, pacer, schema.registry, slots);
  const databaseReturn = watchForReturn(database);
  let latenciesMs: number[] = [];
  const worker = startAmiWorker({
    queue,
    log,
    lane: 'live',
    concurrency,
    runner,
    databaseReturn,
    observer,
    onWritten: (elapsedMs) => {
      if (adaptive) latenciesMs.push(elapsedMs);
    },
  });

  const background = startAmiWorker({
    queue,
    log,
    lane: 'background',
    concurrency: BACKGROUND_CONCURRENCY,
    runner,
    databaseReturn,
    observer,
  });

  const heartbeat = createHeartbeat(database, () => worker.concurrency);
  const adapt = async (): Promise<void> => {
    const decision = decideConcurrency(worker.concurrency, latenciesMs);
    latenciesMs = [];
    if (decision.reason === undefined) return;
    log.info(
      { from: worker.concurrency, to: decision.concurrency, reason: decision.reason },
      'concurrency changed',
    );
    worker.concurrency = decision.concurrency;
    observer?.concurrency(decision.concurrency);
  };
  const upkeep = async (): Promise<void> => {
    const { readsRetentionDays, ledgerRetentionDays } = config;
    const isArchived = archives(context);
    logWork(
      'upkeep',
      await runUpkeep({ database, queue, readsRetentionDays, isArchived, ledgerRetentionDays, now }),
    );
  };
  const watchdog = async (): Promise<Outcome> => {
    const done = await automatic.watch();
    logWork('watchdog', done);
    return done === undefined ? 'skipped' : 'ran';
  };
  const logWork = (what: string, done: object = {}): void => {
    if (Object.values(done).some((part) => (Array.isArray(part) ? part.length > 0 : part > 0)))
      log.info(done, what);
  };

  observer?.concurrency(concurrency);

  const onError = (error: Error): void => log.warn({ err: error }, 'ticks');
  const automatic = composeAutomatic(context, now, onError);
  const vee = createVeeWorker({ database, schema, now, log });
  const ticking = ticks.work({ onTick: automatic.tick, onHeartbeat: heartbeat.processed }, { onError });
  const periodic = [
    runPeriodically('heartbeat', HEARTBEAT_MS, heartbeat.beat, log),
    runPeriodically('heartbeat job', HEARTBEAT_JOB_MS, () => ticks.beat(heartbeat.workerId), log),
    runPeriodically('upkeep', UPKEEP_MS, upkeep, log),
    runPeriodically('archive', ARCHIVE_MS, () => archiveDue(context, now()), log),
    runPeriodically('dispatch', jittered(PASS_MS), automatic.pass, log),
    runPeriodically('watchdog', WATCHDOG_MS, watchdog, log),
    runPeriodically('validation', jittered(VEE_MS), vee.work, log),
    ...(adaptive ? [runPeriodically('adaptive concurrency', ADAPT_MS, adapt, log)] : []),
  ];
  log.info({ workerId: heartbeat.workerId, concurrency, adaptive, queue: queue.backend }, 'worker started');

  return {
    async stop() {
      pacer.close();
      databaseReturn.close();
      const closing = [worker.close(), background.close(), ticking.close()];
      await Promise.all([...closing, ...periodic.map((part) => part.stop())]);
      // If Postgres is away the row stays, and expires by itself.
      await heartbeat.retire().catch((error: unknown) => log.warn({ err: error }, 'heartbeat not retired'));
    },
  };
}

/**
 * What publishes by itself, over a context.
 *
 * @param onEnqueueFailed told when a publish was accepted but its jobs did not reach the queue; the upkeep adds them.
 */
export function composeAutomatic(
  context: Context,
  now: () => Date,
  onEnqueueFailed: (error: Error) => void,
): Automatic {
  const { config, database, ticks, log } = context;
  const { planner, admission } = createPublishing(context, onEnqueueFailed);
  const missingParts = createMissingParts({ database, planner });
  const publishing = {
    database,
    admission,
    missingParts,
    readsRetentionDays: config.readsRetentionDays,
    now,
  };
  const backfills = createBackfillSupplier({ ...publishing, log });
  const imports = createImportSupplier({ database, admission, now, log });
  const clock = createTenantClock(database, now);
  const late = createLateDeliverySupplier({ ...publishing, clock, log });
  // Backfills last: the others take their part of the background lane and no more, where backfills take what there is.
  const supply = async (): Promise<void> => {
    const outcomes = [
      await outcomeOf(late.supply()),
      await outcomeOf(imports.supply()),
      await outcomeOf(backfills.supply()),
    ];
    const errors = outcomes.filter((error) => error !== undefined);
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
  };
  return createAutomatic({ ...publishing, ticks, supplyBackground: supply, log });
}

/** What some work failed with; undefined where it did not. */
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

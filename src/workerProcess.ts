import type { Config } from './config.js';
import { type Context, createContext, WORKER_POOL } from './context.js';
import type { Running } from './lifecycle.js';
import { createBatchRunner } from './services/batchRunner.js';
import { createHeartbeat } from './services/heartbeat.js';
import { createStartPacer } from './services/startPacer.js';
import { runUpkeep } from './services/upkeep.js';
import { decideConcurrency, START_CONCURRENCY } from './workers/adaptiveConcurrency.js';
import { startAmiWorker } from './workers/amiWorker.js';
import { runPeriodically } from './workers/periodic.js';

const HEARTBEAT_MS = 5_000;
/** Lost batches are found within this and their 20 s of grace; partitions and retention need no more often. */
const UPKEEP_MS = 10_000;
const ADAPT_MS = 5_000;

/**
 * Starts a worker. Stopping goes in the order of the data: batches that only wait for their turn are handed
 * back, those being written end, then the queue, then the database.
 */
export async function startWorker(config: Config): Promise<Running> {
  const context = await createContext('worker', config, WORKER_POOL);
  const worker = runWorker(context);
  return {
    async stop() {
      await worker.stop();
      await context.close();
      context.log.info('worker stopped');
    },
  };
}

/** The worker over a context, which stays open when it stops. */
export function runWorker({ config, database, queue, schema, log }: Context): Running {
  const adaptive = config.workerConcurrency === 'adaptive';
  const concurrency = config.workerConcurrency === 'adaptive' ? START_CONCURRENCY : config.workerConcurrency;

  const pacer = createStartPacer(database, config.maxReadsPerSecond);
  let latenciesMs: number[] = [];
  const worker = startAmiWorker({
    queue,
    log,
    concurrency,
    runner: createBatchRunner(database, pacer, schema.registry),
    onWritten: (elapsedMs) => {
      if (adaptive) latenciesMs.push(elapsedMs);
    },
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
  };
  const upkeep = async (): Promise<void> => {
    const { readsRetentionDays } = config;
    const done = await runUpkeep({ database, queue, readsRetentionDays, now: () => new Date() });
    const { partitionsMade, partitionsDropped, batchesRestored, eventsExpired, fleetsDeleted } = done;
    if (partitionsMade + partitionsDropped.length + batchesRestored + eventsExpired + fleetsDeleted > 0)
      log.info(done, 'upkeep');
  };
  const periodic = [
    runPeriodically('heartbeat', HEARTBEAT_MS, heartbeat.beat, log),
    runPeriodically('upkeep', UPKEEP_MS, upkeep, log),
    ...(adaptive ? [runPeriodically('adaptive concurrency', ADAPT_MS, adapt, log)] : []),
  ];
  log.info({ workerId: heartbeat.workerId, concurrency, adaptive, queue: queue.backend }, 'worker started');

  return {
    async stop() {
      pacer.close();
      await Promise.all([worker.close(), ...periodic.map((part) => part.stop())]);
      // With Postgres away the row stays, and expires by itself.
      await heartbeat.retire().catch((error: unknown) => log.warn({ err: error }, 'heartbeat not retired'));
    },
  };
}

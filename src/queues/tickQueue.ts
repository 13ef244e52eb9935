import type { WorkerOptions } from 'bullmq';
import { z } from 'zod';
import { answerBudget } from '../contracts/answerBudget.js';
import { tenantId } from '../contracts/fields.js';
import { INTERVAL_MINUTES, type IntervalMinutes } from '../contracts/limits.js';
import { type Connections, QUEUE_NAMES, type RawQueue, type TakenJob } from './queueConnections.js';
import { withQueueDeadline } from './queueDeadline.js';
import { thinned } from './thinnedErrors.js';

/** A tenant's job scheduler: one tick at the start of every interval, in UTC. Its key is the tenant. */
export interface TickScheduler {
  tenantId: string;
  intervalMinutes: IntervalMinutes;
}

/** What is done to a scheduler that should be there. */
export type Mending = 'kept' | 'made' | 'changed' | 'restored';

/**
 * The queue of what drives the publishing: ticks, and the heartbeat jobs by which a worker shows that it takes jobs. A
 * tick may come late, twice, or not at all. A slot is published because of its claim and the dispatch pass, not because of
 * its tick.
 */
export interface TickQueue {
  /** What `ensure` would do; needs no lock, so that a watchdog can look often. */
  inspect(scheduler: TickScheduler, now: Date): Promise<Mending>;
  /** Makes or mends the one scheduler of a tenant; the caller holds the tenant's lock. Answers what it did. */
  ensure(scheduler: TickScheduler, now: Date): Promise<Mending>;
  /** Takes the scheduler away with its ticks; one that is being processed ends, and leaves nothing behind. */
  remove(tenantId: string): Promise<void>;
  /** Tenants that have a scheduler. */
  tenants(): Promise<string[]>;
  /** Adds a heartbeat job. At most one per worker waits, however long nobody takes it. */
  beat(workerId: string): Promise<void>;
  /** Starts to take ticks and heartbeats. */
  work(handlers: TickHandlers, options: { onError: (error: Error) => void }): { close(): Promise<void> };
  close(): Promise<void>;
}

export interface TickHandlers {
  /**
   * `slot` is the start of the interval that the tick was meant for, however late it runs. The tenant may have been
   * stopped or changed since.
   */
  onTick(tenantId: string, slot: Date): Promise<void>;
  onHeartbeat(): Promise<void>;
}

export interface TickQueueOptions {
  /** When ticks fire; tests have shorter intervals. */
  patterns?: Record<IntervalMinutes, string>;
}

/** Cron with seconds. Never `every`: it fires at once, unaligned, and twice under concurrent upserts (docs/bullmq.md). */
const PATTERNS: Record<IntervalMinutes, string> = { 15: '0 0,15,30,45 * * * *', 60: '0 0 * * * *' };
const TIME_ZONE = 'UTC';

const TICK = 'tick';
const HEARTBEAT = 'heartbeat';

const tickData = z.object({ tenantId, intervalMinutes: z.literal(INTERVAL_MINUTES) });

/**
 * Ended jobs are not kept: the claims in the database are the record, and a failed tick would hold its ID (on Postgres
 * nothing could remove it). There is one try, since the dispatch pass takes up what a failed tick leaves.
 */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1, stackTraceLimit: 1 } as const;

/** As in amiQueue.ts: the jobs of a killed worker are back within 15 s, even if the same job loses worker after worker. */
const WORKER_OPTIONS = {
  concurrency: 5,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 1_000,
  runRetryDelay: 1_000,
} satisfies Partial<WorkerOptions>;

/** States from which a job is not run any more. */
const ENDED_STATES = new Set(['failed', 'completed', 'unknown']);
/**
 * An upsert removes a pending tick and makes the one after now. So nothing is upserted while a tick is due, or about to
 * be due by any of the clocks involved.
 */
const ABOUT_TO_FIRE_MS = 5_000;
/** BullMQ's error code when the next slot already has a tick. */
const SLOT_TAKEN = -10;
type Found = NonNullable<Awaited<ReturnType<RawQueue['getJobScheduler']>>>;

/** Opens the queue of ticks over connections that stay the caller's. */
export function openTickQueue(
  connections: Connections,
  onError: (error: Error) => void,
  { patterns = PATTERNS }: TickQueueOptions = {},
): TickQueue {
  const queue = connections.queue(QUEUE_NAMES.ticks);
  queue.on('error', onError);

  const isWanted = (found: Found, { tenantId, intervalMinutes }: TickScheduler): boolean => {
    const data = tickData.safeParse(found.template?.data).data;
    return (
      found.pattern === patterns[intervalMinutes] &&
      found.tz === TIME_ZONE &&
      data?.tenantId === tenantId &&
      data.intervalMinutes === intervalMinutes
    );
  };

  /** Whether the job that carries the scheduler on is there to be run, or is running. */
  const isHeld = async ({ key, next }: Found): Promise<boolean> => {
    const job = await queue.getJob(`repeat:${key}:${next}`);
    return job !== undefined && !ENDED_STATES.has(await job.getState());
  };

  const inspect = async (scheduler: TickScheduler, now: Date): Promise<Mending> => {
    const found = await queue.getJobScheduler(scheduler.tenantId);
    if (found === undefined) return 'made';
    if (await isHeld(found)) {
      if (isWanted(found, scheduler)) return 'kept';
      // The tick fires as it is; the next look changes what comes after it.
      return isDue(found, now.getTime()) ? 'kept' : 'changed';
    }
    // No such job: either it was lost, or it was done and the scheduler moved on between the two looks.
    const again = await queue.getJobScheduler(scheduler.tenantId);
    if (again === undefined) return 'made';
    if (again.next !== found.next) return 'kept';
    return isWanted(again, scheduler) ? 'restored' : 'changed';
  };

  /** Answers false if the next slot's tick still runs, or is there without its scheduler: that tick must go first. */
  const upsert = async (pattern: string, { tenantId, intervalMinutes }: TickScheduler): Promise<boolean> => {
    try {
      await queue.upsertJobScheduler(
        tenantId,
        { pattern, tz: TIME_ZONE },
        { name: TICK, data: { tenantId, intervalMinutes }, opts: JOB_OPTIONS },
      );
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === SLOT_TAKEN) return false;
      throw error;
    }
  };

  const ensure = async (scheduler: TickScheduler, now: Date): Promise<Mending> => {
    const { dependency } = answerBudget();
    const lateAt = performance.now() + dependency;
    const mending = await inspect(scheduler, now);
    if (mending === 'kept') return mending;
    // The caller has been told that this failed, and no longer holds the tenant's lock.
    if (performance.now() > lateAt) throw new Error(`no answer within ${dependency} ms`);
    return (await upsert(patterns[scheduler.intervalMinutes], scheduler)) ? mending : 'kept';
  };

  const remove = async (tenantId: string): Promise<void> => {
    const found = await queue.getJobScheduler(tenantId);
    if (found === undefined) return;
    // BullMQ removes a scheduler's tick with the scheduler only while the tick is delayed. A tick that is due would stay,
    // and on Postgres nothing else can remove it. An upsert first replaces it by the next tick, which is delayed.
    if (isDue(found, Date.now()))
      await upsert(found.pattern ?? patterns[15], { tenantId, intervalMinutes: 15 });
    await queue.removeJobScheduler(tenantId);
  };

  return {
    inspect: (scheduler, now) => withQueueDeadline(() => inspect(scheduler, now)),
    ensure: (scheduler, now) => withQueueDeadline(() => ensure(scheduler, now)),
    remove: (tenantId) => withQueueDeadline(() => remove(tenantId)),
    tenants: () => withQueueDeadline(async () => (await queue.getJobSchedulers()).map(({ key }) => key)),
    beat: (workerId) =>
      withQueueDeadline(async () => {
        // One ID per worker keeps them from piling up. Any worker takes the job, even one that a dead worker has left.
        await queue.add(HEARTBEAT, {}, { jobId: `heartbeat_${workerId}`, ...JOB_OPTIONS });
      }),
    work(handlers, options) {
      const onError = thinned(options.onError);
      const worker = connections.worker(
        QUEUE_NAMES.ticks,
        (job) => (job.name === HEARTBEAT ? handlers.onHeartbeat() : handleTick(job, handlers)),
        WORKER_OPTIONS,
      );
      worker.on('failed', (job, error) =>
        onError(new Error(`${job?.id ?? 'a tick'} failed: ${error.message}`, { cause: error })),
      );
      worker.on('error', onError);
      return worker;
    },
    close: () => queue.close(),
  };
}

/** Whether the scheduler's tick is to be run now, or in a moment. */
function isDue({ next }: Found, now: number): boolean {
  return (next ?? 0) <= now + ABOUT_TO_FIRE_MS;
}

async function handleTick({ id, name, data, opts }: TakenJob, handlers: TickHandlers): Promise<void> {
  const { prevMillis } = opts;
  const parsed = tickData.safeParse(data);
  if (name !== TICK || !parsed.success || prevMillis === undefined)
    throw new Error(`job ${id} is neither a tick nor a heartbeat`);
  // `prevMillis` is the slot that BullMQ meant, even if the job runs late; `timestamp + delay` is not.
  await handlers.onTick(parsed.data.tenantId, new Date(prevMillis));
}

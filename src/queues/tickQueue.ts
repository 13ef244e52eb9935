import type { WorkerOptions } from 'bullmq';
import { z } from 'zod';
import { answerBudget } from '../contracts/answerBudget.js';
import { tenantId } from '../contracts/fields.js';
import { INTERVAL_MINUTES, type IntervalMinutes } from '../contracts/limits.js';
import { type Connections, QUEUE_NAMES, type RawQueue, type TakenJob } from './queueConnections.js';
import { withQueueDeadline } from './queueDeadline.js';

/** A tenant's job scheduler, whose key is the tenant: one tick at the start of every interval, in UTC. */
export interface TickScheduler {
  tenantId: string;
  intervalMinutes: IntervalMinutes;
}

/** What is done to a scheduler that should be there. */
export type Mending = 'kept' | 'made' | 'changed' | 'restored';

/**
 * The queue of what drives the publishing rather than being it: ticks, and the heartbeat jobs by which a worker shows
 * that it takes jobs. A tick may come late, twice, or not at all: the claim of its slot and the dispatch pass are what
 * a slot's being published rests on.
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
  /** Adds a heartbeat job; at most one a worker waits, however long nobody takes it. */
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
 * Nothing that has ended is kept: the claims in the database are the record, and a failed tick would hold its ID, on
 * Postgres beyond removing. One try, since the dispatch pass takes up what a failed tick leaves.
 */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1, stackTraceLimit: 1 } as const;

/** As in amiQueue.ts: a worker that is killed gives its jobs back within 15 s, however often that happens to one. */
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
 * Upserting takes a pending tick away and makes the one after now: at a tick that is due, or about to be by any of the
 * clocks involved, nothing is upserted.
 */
const ABOUT_TO_FIRE_MS = 5_000;
/** BullMQ's code for a tick of the next slot that is there already. */
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

  /** Answers false where a tick of the next slot is there without its scheduler, or still runs: it must go first. */
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
    // BullMQ takes a scheduler's tick away with it only while that is delayed; one that is due would stay, and on
    // Postgres cannot be removed by itself. Upserting replaces it by the one after, which is delayed.
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
        // One ID a worker keeps them from piling up. Any worker takes it, also what one that died has left.
        await queue.add(HEARTBEAT, {}, { jobId: `heartbeat_${workerId}`, ...JOB_OPTIONS });
      }),
    work(handlers, options) {
      const worker = connections.worker(
        QUEUE_NAMES.ticks,
        (job) => (job.name === HEARTBEAT ? handlers.onHeartbeat() : handleTick(job, handlers)),
        WORKER_OPTIONS,
      );
      worker.on('failed', (job, error) =>
        options.onError(new Error(`${job?.id ?? 'a tick'} failed: ${error.message}`, { cause: error })),
      );
      worker.on('error', options.onError);
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
  // The slot that BullMQ meant, right also when it runs late; `timestamp + delay` is not.
  await handlers.onTick(parsed.data.tenantId, new Date(prevMillis));
}

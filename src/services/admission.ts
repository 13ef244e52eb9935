import { BackpressureError, DependencyUnavailableError } from '../contracts/errors.js';
import { MAX_QUEUE_DEPTH } from '../contracts/limits.js';
import { type Database, rethrowUnavailable, withTransaction } from '../db.js';
import { cut } from '../emulator/plan.js';
import type { AmiQueue, QueueCounts, QueuedBatch } from '../queues/amiQueue.js';
import { lockAdmission, releaseDueTime, reserveDueTime } from '../stores/pacing.js';
import { ensurePartition } from '../stores/partitions.js';
import {
  type BatchRecord,
  cancelPending,
  countOutstanding,
  type PublishRecord,
  recordPublishes,
} from '../stores/publishLedger.js';
import { batchPayload } from './batchPayload.js';
import { pacedRate } from './pace.js';

/** An accepted publish: its batches are in the ledger and in the queue. */
export interface Admitted {
  /** From now until its last batch has started, by the read limit and what was accepted before it; ms. */
  lastStartInMs: number;
}

export interface Admission {
  /**
   * @throws BackpressureError when the queue would become deeper than its bound; nothing was accepted.
   * @throws DependencyUnavailableError when Postgres or the queue is away; nothing was accepted.
   */
  admit(publish: PublishRecord): Promise<Admitted>;
}

interface AdmissionOptions {
  database: Database;
  queue: AmiQueue;
  maxReadsPerSecond: number;
}

interface Request {
  publish: PublishRecord;
  /** `performance.now()` at its arrival. */
  arrivedAt: number;
  resolve(admitted: Admitted): void;
  reject(error: unknown): void;
}

/** Publishes admitted under one lock: with the lock held some tens of ms, a thousand callers wait seconds. */
const GROUP_SIZE = 100;

/**
 * Admission: depth check, pacing and ledger in one transaction under one lock, so that a thousand callers on
 * five processes cannot together exceed what one could (decision 12). Then the batches are enqueued; until
 * they are, and if the queue loses them, the ledger counts them as outstanding, so the bound holds throughout.
 *
 * Requests that arrive while a transaction is under way share the next one (group commit).
 */
export function createAdmission({ database, queue, maxReadsPerSecond }: AdmissionOptions): Admission {
  const waiting: Request[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    working = true;
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_SIZE).filter(isInTime);
      try {
        await admitGroup(group);
      } catch (error) {
        for (const request of group) request.reject(error);
      }
    }
    working = false;
  };

  const admitGroup = async (group: readonly Request[]): Promise<void> => {
    if (group.length === 0) return;
    const decided = await decide(group).catch(rethrowUnavailable);
    for (const { request, error } of decided.refused) request.reject(error);
    if (decided.accepted.length === 0) return;
    try {
      await queue.add(decided.jobs);
    } catch (error) {
      await takeBack(decided.accepted.map(({ request }) => request.publish.publishId));
      throw error;
    }
    for (const { request, lastStartInMs } of decided.accepted) request.resolve({ lastStartInMs });
  };

  const decide = (group: readonly Request[]): Promise<Decision> =>
    withTransaction(database, async (client) => {
      await lockAdmission(client);
      const counts = await queue.counts();
      const owed = await countOutstanding(client);
      if (owed === 0) await releaseDueTime(client);
      const decision = fill(group, counts, owed);
      if (decision.accepted.length === 0) return decision;

      const rate = pacedRate(maxReadsPerSecond);
      const reads = decision.accepted.reduce((sum, { request }) => sum + request.publish.meterCount, 0);
      let { dueInMs } = await reserveDueTime(client, reads, rate);
      const batches: BatchRecord[] = [];
      for (const accepted of decision.accepted) {
        const { publish } = accepted.request;
        for (const { number, from, to } of cut(publish.meterCount, publish.batchSize)) {
          batches.push({
            publishId: publish.publishId,
            number,
            tenantId: publish.tenantId,
            meters: to - from,
            dueInMs,
          });
          decision.jobs.push({ payload: batchPayload(publish, number), delayMs: dueInMs });
          accepted.lastStartInMs = dueInMs;
          dueInMs += ((to - from) / rate) * 1000;
        }
        await ensurePartition(client, publish.readAt);
      }
      await recordPublishes(
        client,
        decision.accepted.map(({ request }) => request.publish),
        batches,
      );
      return decision;
    });

  /**
   * The queue failed after the ledger had accepted: what it may have taken is cancelled, so that the caller's
   * "not accepted" is the truth. If Postgres fails now too, the batches stay owed and are found later.
   */
  const takeBack = async (publishIds: string[]): Promise<void> => {
    await cancelPending(database, publishIds).catch((error: unknown) => {
      throw new DependencyUnavailableError('postgres', error);
    });
  };

  return {
    admit: (publish) =>
      new Promise((resolve, reject) => {
        waiting.push({ publish, arrivedAt: performance.now(), resolve, reject });
        if (!working) void work();
      }),
  };
}

/**
 * Whether a request can still be answered in the 2 s an answer may take. One that waited longer behind a
 * Postgres that hung has had its 503, and must not be accepted behind its caller's back.
 */
function isInTime(request: Request): boolean {
  if (performance.now() - request.arrivedAt < WAITING_LIMIT_MS) return true;
  request.reject(new DependencyUnavailableError('postgres', `no answer within ${WAITING_LIMIT_MS} ms`));
  return false;
}
const WAITING_LIMIT_MS = 1_500;

interface Decision {
  accepted: { request: Request; lastStartInMs: number }[];
  refused: { request: Request; error: BackpressureError }[];
  jobs: QueuedBatch[];
}

/**
 * Takes requests in their order while the queue has room for all their jobs. What is outstanding is the larger
 * of what the ledger owes and what the queue holds: the ledger also knows accepted jobs on their way into the
 * queue and jobs the queue has lost, the queue also knows jobs that are not ours.
 */
function fill(group: readonly Request[], counts: QueueCounts, owed: number): Decision {
  const decision: Decision = { accepted: [], refused: [], jobs: [] };
  const { waiting, delayed, active } = counts;
  let outstanding = Math.max(owed, waiting + delayed + active);
  for (const request of group) {
    const requested = request.publish.batchCount;
    if (outstanding + requested > MAX_QUEUE_DEPTH) {
      const depth = { waiting, delayed, outstanding, requested, limit: MAX_QUEUE_DEPTH };
      decision.refused.push({ request, error: new BackpressureError(depth, RETRY_AFTER_SECONDS) });
    } else {
      outstanding += requested;
      decision.accepted.push({ request, lastStartInMs: 0 });
    }
  }
  return decision;
}

/** 5 s: at the full rate that is 25 batches of room; long enough not to be stormed, short enough to be used. */
const RETRY_AFTER_SECONDS = 5;

import { answerBudget } from '../contracts/answerBudget.js';
import { DependencyUnavailableError } from '../contracts/errors.js';
import { type Database, type Queryable, rethrowUnavailable, withTransaction } from '../db/db.js';
import {
  countOutstanding,
  type Outstanding,
  type PublishRecord,
  recordPublishes,
} from '../ledger/publishLedger.js';
import { pacedRate } from '../pacing/pace.js';
import { lockAdmission, releaseDueTime, reserveDueTime } from '../pacing/pacingRow.js';
import type { AmiQueue, QueuedBatch } from '../queues/amiQueue.js';
import { ensurePartitions } from '../reads/partitions.js';
import { type Decision, decideAdmissions, schedule } from './admissionDecision.js';

/** An accepted publish: its batches are in the ledger, and in the queue or owed to it. */
export interface Admitted {
  /**
   * From now until its last batch has started, by the read limit and what was accepted before it; ms. A background
   * publish counts what was accepted in the background: live work, whenever there is any, comes on top.
   */
  lastStartInMs: number;
}

export type Alongside = (client: Queryable) => Promise<void>;

export interface Admission {
  /**
   * @param alongside writes what must be written if and only if the publish is accepted. It runs in the transaction
   * that accepts the publish, possibly again after one that was rolled back. When it throws, its own publish is not
   * accepted and the error is rethrown.
   * @throws BackpressureError when the queue, or its background lane, would become deeper than its bound; nothing was
   * accepted.
   * @throws DependencyUnavailableError when Postgres or the queue is away; nothing was accepted, unless Postgres
   * went away in the middle of the commit.
   */
  admit(publish: PublishRecord, alongside?: Alongside): Promise<Admitted>;
}

interface AdmissionOptions {
  database: Database;
  queue: AmiQueue;
  maxReadsPerSecond: number;
  /** Told when accepted batches could not be enqueued at once. */
  onEnqueueFailed: (error: Error) => void;
}

interface Request {
  publish: PublishRecord;
  alongside: Alongside | undefined;
  /** `performance.now()` at its arrival. */
  arrivedAt: number;
  resolve(admitted: Admitted): void;
  reject(error: unknown): void;
}

/**
 * Publishes admitted under one lock, which is held for some tens of ms: one by one a thousand callers would wait
 * seconds.
 */
const GROUP_SIZE = 100;

/**
 * Admission: depth check, pacing and ledger in one transaction under one lock, so that a thousand callers on
 * five processes cannot together exceed what one could (D12). Then the batches are enqueued. Until they are, and if the
 * queue loses them, the ledger counts them as outstanding, so the bound holds throughout.
 *
 * Requests that arrive while a transaction is under way share the next one (group commit).
 *
 * Only live batches are promised a due time. A background batch is due whenever no live one is: its job waits for
 * nothing in the queue, and its due time in the ledger is an estimate.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { database, queue, onEnqueueFailed } = options;
  const rate = pacedRate(options.maxReadsPerSecond);
  const waiting: Request[] = [];
  let working = false;

  const work = async (): Promise<void> => {
    working = true;
    while (waiting.length > 0) await admitGroup(waiting.splice(0, GROUP_SIZE).filter(isInTime));
    working = false;
  };

  /** Settles every request of the group; never throws. */
  const admitGroup = async (group: readonly Request[]): Promise<void> => {
    if (group.length === 0) return;
    try {
      const decided = await decide(group).catch(rethrowUnavailable);
      for (const { request, error } of decided.refused) request.reject(error);
      await enqueue(decided.jobs);
      for (const { request, lastStartInMs } of decided.accepted) request.resolve({ lastStartInMs });
    } catch (error) {
      if (group.length === 1 || error instanceof DependencyUnavailableError) {
        for (const request of group) request.reject(error);
      } else {
        // One of the requests is at fault: the others must not pay for it.
        for (const request of group) await admitGroup([request]);
      }
    }
  };

  /**
   * Once the ledger has accepted, a failing queue changes nothing: a batch that it did not take is owed, counts as
   * queued, and is enqueued by the upkeep. Cancelling instead would race with what the queue may have taken.
   */
  const enqueue = async (jobs: readonly QueuedBatch[]): Promise<void> => {
    if (jobs.length === 0) return;
    await queue.add(jobs).catch((error: unknown) => onEnqueueFailed(error as Error));
  };

  const decide = (group: readonly Request[]): Promise<Decision<Request>> =>
    withTransaction(database, async (client) => {
      await lockAdmission(client);
      const counts = await queue.counts();
      const owed = await countOutstanding(client);
      const decision = decideAdmissions(group, counts, owed, rate);
      if (decision.accepted.length === 0) return decision;

      const publishes = decision.accepted.map(({ request }) => request.publish);
      await ensurePartitions(
        client,
        publishes.map(({ readAt }) => readAt),
      );
      for (const { request } of decision.accepted) await request.alongside?.(client);
      // Last before the inserts, since reserving locks the row that every worker's next start waits for.
      const firstDueInMs = {
        live: await reserveLive(client, publishes, owed),
        background: (owed.backgroundReads / rate) * 1000,
      };
      const batches = schedule(decision, firstDueInMs, rate);
      await recordPublishes(client, publishes, batches);
      return decision;
    });

  const reserveLive = async (
    client: Queryable,
    publishes: readonly PublishRecord[],
    owed: Outstanding,
  ): Promise<number> => {
    const live = publishes.filter(({ lane }) => lane === 'live');
    if (live.length === 0) return 0;
    if (owed.live === 0) await releaseDueTime(client);
    const reads = live.reduce((sum, { rangeFrom, rangeTo }) => sum + rangeTo - rangeFrom, 0);
    return reserveDueTime(client, reads, rate);
  };

  return {
    admit: (publish, alongside) =>
      new Promise((resolve, reject) => {
        waiting.push({ publish, alongside, arrivedAt: performance.now(), resolve, reject });
        if (!working) void work();
      }),
  };
}

/**
 * Whether a request can still be answered within the answer budget. A request that waited longer behind a hanging
 * Postgres has had its 503, and must not be accepted behind its caller's back.
 */
function isInTime(request: Request): boolean {
  const { dependency } = answerBudget();
  if (performance.now() - request.arrivedAt < dependency) return true;
  request.reject(new DependencyUnavailableError('postgres', `no answer within ${dependency} ms`));
  return false;
}

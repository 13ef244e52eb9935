import type { Lane } from '../contracts/batchJob.js';
import { BackpressureError } from '../contracts/errors.js';
import { MAX_BACKGROUND_JOBS, MAX_BATCH_SIZE, MAX_QUEUE_DEPTH } from '../contracts/limits.js';
import { carryingPayload, firstOfJob } from '../ledger/batchPayload.js';
import { batchRanges } from '../ledger/batchRange.js';
import type { BatchRecord, Outstanding, PublishRecord } from '../ledger/publishLedger.js';
import type { QueueCounts, QueuedBatch } from '../queues/amiQueue.js';

interface Asking {
  publish: PublishRecord;
}

/** What was decided on requests that arrived together. */
export interface Decision<Request extends Asking> {
  accepted: { request: Request; lastStartInMs: number }[];
  refused: { request: Request; error: BackpressureError }[];
  jobs: QueuedBatch[];
}

/**
 * Accepts requests in their order while the queue has room for all batches of a request, whether or not they share a job. Outstanding is the larger of what
 * the ledger owes and what the queue holds: the ledger also knows accepted jobs on their way into the queue and jobs
 * that the queue has lost; the queue also knows jobs that are not ours.
 */
export function decideAdmissions<Request extends Asking>(
  group: readonly Request[],
  counts: QueueCounts,
  owed: Outstanding,
  rate: number,
): Decision<Request> {
  const decision: Decision<Request> = { accepted: [], refused: [], jobs: [] };
  const { waiting, delayed, active } = counts;
  const both = {
    outstanding: Math.max(owed.live + owed.background, waiting + delayed + active),
    limit: MAX_QUEUE_DEPTH,
  };
  const background = { outstanding: owed.background, limit: MAX_BACKGROUND_JOBS };
  for (const request of group) {
    const { batchCount: requested, lane } = request.publish;
    const bounds = lane === 'background' ? [background, both] : [both];
    const full = bounds.find(({ outstanding, limit }) => outstanding + requested > limit);
    if (full) {
      const depth = { waiting, delayed, ...full, requested };
      const excess = full.outstanding + requested - full.limit;
      // How long the workers take for the excess if its batches are full ones.
      const retryAfterSeconds = Math.ceil((excess * MAX_BATCH_SIZE) / rate);
      decision.refused.push({ request, error: new BackpressureError(depth, retryAfterSeconds) });
    } else {
      for (const bound of bounds) bound.outstanding += requested;
      decision.accepted.push({ request, lastStartInMs: 0 });
    }
  }
  return decision;
}

/**
 * Gives every accepted batch its due time, spaced by the paced rate within its lane, and adds the jobs that carry them to the
 * decision.
 */
export function schedule(
  decision: Decision<Asking>,
  firstDueInMs: Record<Lane, number>,
  rate: number,
): BatchRecord[] {
  const batches: BatchRecord[] = [];
  const nextDueInMs = { ...firstDueInMs };
  for (const accepted of decision.accepted) {
    const { publish } = accepted.request;
    const { publishId, tenantId, lane } = publish;
    for (const { number, from, to } of batchRanges(publish)) {
      const dueInMs = nextDueInMs[lane];
      batches.push({ publishId, number, tenantId, meters: to - from, dueInMs });
      const delayMs = lane === 'live' ? dueInMs : 0;
      if (number === firstOfJob(publish, number))
        decision.jobs.push({ payload: carryingPayload(publish, number), delayMs, lane });
      accepted.lastStartInMs = dueInMs;
      nextDueInMs[lane] += ((to - from) / rate) * 1000;
    }
  }
  return batches;
}

import { estimateRuntimeSeconds } from '../publishing/plan.js';
import type { BackfillProgress } from './progress.js';

const MS_PER_MINUTE = 60_000;

/** How many intervals a span has. */
export function intervalsOf(from: Date, to: Date, intervalMinutes: number): number {
  return Math.max(0, (to.getTime() - from.getTime()) / (intervalMinutes * MS_PER_MINUTE));
}

/**
 * How far a backfill is, in the form of a publish's progress: at every moment done, failed, cancelled and what is left
 * add up to the total.
 *
 * @param readsPerSecond the pace. `estimatedSecondsLeft` is the least that is left by it, since live work goes first.
 */
export function backfillAnswer(found: BackfillProgress, readsPerSecond: number) {
  const state = stateOf(found);
  const ahead = batchesAhead(found);
  const { batchesCovered, batchesDone, batchesFailed, batchesCancelled, batchesPending } = found;
  const metersLeft =
    found.metersPending +
    (found.state === 'active' ? (ahead * found.intervalMeters) / found.intervalBatches : 0);
  return {
    publishId: found.backfillId,
    backfillId: found.backfillId,
    tenantId: found.tenantId,
    origin: 'backfill' as const,
    state,
    from: found.from,
    to: found.to,
    intervalMinutes: found.intervalMinutes,
    meterCount: found.intervalMeters,
    batches: {
      done: batchesCovered + batchesDone,
      total: batchesCovered + batchesDone + batchesFailed + batchesCancelled + batchesPending + ahead,
      // The batches that a failed or cancelled backfill never came to are neither done nor waiting.
      failed: batchesFailed + (found.state === 'failed' ? ahead : 0),
      cancelled: batchesCancelled + (found.state === 'cancelled' ? ahead : 0),
    },
    rows: {
      inserted: found.inserted,
      updated: found.updated,
      duplicate: found.duplicate,
      skippedByOutage: found.skipped,
    },
    intervals: {
      done: found.intervalsDone,
      // Left alone, since intervals of another length have measured the same time.
      overlapped: found.intervalsOverlapped,
      total: intervalsOf(found.from, found.to, found.intervalMinutes),
    },
    acceptedAt: found.acceptedAt,
    startedAt: found.startedAt,
    finishedAt: found.finishedAt ?? writtenAt(found),
    ...(metersLeft > 0 ? { estimatedSecondsLeft: estimateRuntimeSeconds(metersLeft, readsPerSecond) } : {}),
    ...(found.failure === null ? {} : { failure: found.failure }),
  };
}

export type BackfillAnswer = ReturnType<typeof backfillAnswer>;

/** Batches of the intervals that have not been accepted. */
function batchesAhead({ from, cursor, intervalMinutes, intervalBatches, cursorBatches }: BackfillProgress) {
  const end = new Date(cursor.getTime() + intervalMinutes * MS_PER_MINUTE);
  const intervals = intervalsOf(from, end, intervalMinutes);
  if (intervals === 0) return 0;
  return Math.max(0, intervalBatches - cursorBatches) + (intervals - 1) * intervalBatches;
}

/** When the last batch was written, though the counters may not have it yet; null while anything is left. */
function writtenAt({ cursor, from, batchesPending, lastBatchAt }: BackfillProgress): Date | null {
  return cursor < from && batchesPending === 0 ? lastBatchAt : null;
}

function stateOf(found: BackfillProgress): 'queued' | 'running' | 'done' | 'failed' | 'cancelled' {
  if (found.state !== 'active') return found.state;
  if (writtenAt(found)) return found.batchesFailed > 0 ? 'failed' : 'done';
  return found.startedAt === null && found.intervalsDone + found.intervalsOverlapped === 0
    ? 'queued'
    : 'running';
}

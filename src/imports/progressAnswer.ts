import { MAX_BATCH_SIZE } from '../contracts/limits.js';
import { estimateRuntimeSeconds } from '../publishing/plan.js';
import type { ImportProgress, KeptRefusal } from './progress.js';

/**
 * How far an import is, in the form of a publish's progress.
 *
 * @param readsPerSecond the pace. `estimatedSecondsLeft` is the least that is left by it, since live work goes first.
 */
export function importAnswer(found: ImportProgress, readsPerSecond: number) {
  const { batches: total, batchesDone: done, batchesFailed, batchesCancelled } = found;
  const left = found.finishedAt === null ? total - done - batchesFailed - batchesCancelled : 0;
  const never = found.finishedAt === null ? 0 : total - done - batchesFailed - batchesCancelled;
  return {
    importId: found.importId,
    tenantId: found.tenantId,
    origin: 'import' as const,
    fileName: found.fileName,
    format: found.format,
    state: stateOf(found),
    reads: found.reads,
    from: found.first,
    to: found.last,
    batches: {
      done,
      total,
      // What a failed or cancelled import never came to is neither done nor waiting.
      failed: batchesFailed + (found.state === 'failed' ? never : 0),
      cancelled: batchesCancelled + (found.state === 'cancelled' ? never : 0),
    },
    rows: {
      inserted: found.inserted,
      replaced: found.updated,
      unchanged: found.duplicate,
      refused: found.refused,
      refusedByRules: found.refusedByRules,
      repeated: found.repeated,
      left: found.left,
    },
    metersRegistered: found.metersRegistered,
    acceptedAt: found.acceptedAt,
    startedAt: found.startedAt,
    finishedAt: found.finishedAt,
    ...(left > 0
      ? { estimatedSecondsLeft: estimateRuntimeSeconds(left * MAX_BATCH_SIZE, readsPerSecond) }
      : {}),
    ...(found.failure === null ? {} : { failure: found.failure }),
  };
}

export type ImportAnswer = ReturnType<typeof importAnswer>;

/** The answer for one import: with what its text was taken to mean, and the first refusals. */
export function importDetails(
  found: ImportProgress,
  refusals: readonly KeptRefusal[],
  readsPerSecond: number,
) {
  return {
    ...importAnswer(found, readsPerSecond),
    ...(found.mapping === null ? {} : { mapping: found.mapping }),
    refusals: refusals.map(refusalAnswer),
  };
}

/** A refusal as it is answered; `rows` where it stands for several. */
export function refusalAnswer({ line, meterId, readAt, reason, rows }: KeptRefusal) {
  return {
    line,
    ...(meterId === null ? {} : { meterId }),
    ...(readAt === null ? {} : { readAt }),
    reason,
    ...(rows > 1 ? { rows } : {}),
  };
}

export type ImportDetails = ReturnType<typeof importDetails>;

function stateOf({ state, startedAt, finishedAt }: ImportProgress) {
  if (state === 'writing') return startedAt === null ? ('queued' as const) : ('running' as const);
  // Of a cancelled or failed one a batch may be under way still.
  if (finishedAt === null && state !== 'reading' && startedAt !== null) return 'running' as const;
  return state;
}

import { ApiError, BackpressureError, DependencyUnavailableError } from '../contracts/errors.js';
import { keptSince } from '../contracts/intervals.js';
import { type Database, isTransient } from '../db/db.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import type { Admission } from '../publishing/admission.js';
import type { MissingParts } from '../publishing/missingParts.js';
import { isSnapshotGone } from '../registry/snapshots.js';
import { doublingPause } from '../timing/doublingPause.js';
import {
  endBackfill,
  notePublish,
  noteTrouble,
  type OpenBackfill,
  openBackfills,
  passCovered,
  putOffBackfill,
} from './cursor.js';
import { type Ahead, lookAhead, movedBy } from './lookAhead.js';
import { settleBackfill, unsettledBackfills } from './progress.js';
import { createBackfillTurns } from './turns.js';

interface SupplierOptions {
  database: Database;
  admission: Admission;
  missingParts: Pick<MissingParts, 'look'>;
  /** Days of reads that are kept; undefined keeps all. */
  readsRetentionDays: number | undefined;
  now: () => Date;
}

export interface BackfillSupplier {
  /**
   * Accepts what there is room for, for every backfill in turn, for about a second; to be called every second or so. Safe
   * from several processes at once, though one alone gets further.
   *
   * @returns how many publishes were accepted.
   * @throws AggregateError what kept it from some of the work; it is tried again.
   */
  supply(): Promise<number>;
}

const PASS_MS = 1_000;
/** How soon what waits for others' batches is looked at again. */
const PENDING_PAUSE_MS = 2_000;
/** 5 s, 10 s, … 5 min: some ten minutes in all, in which somebody may fill a registry. */
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Feeds the background lane with what backfills are missing, the newest interval of each first. */
export function createBackfillSupplier(options: SupplierOptions): BackfillSupplier {
  const { database, admission, missingParts, readsRetentionDays, now } = options;
  /** By the clock of this moment: days may pass before a backfill comes to its oldest intervals. */
  const isKept = (readAt: Date): boolean => {
    const kept = keptSince(now(), readsRetentionDays);
    return kept === undefined || readAt >= kept;
  };

  /** Nothing further is asked of a backfill whose interval cannot be accepted until its pause is over. */
  const note = async (backfill: OpenBackfill, error: unknown): Promise<void> => {
    const attempts = backfill.attempts + 1;
    const pause = doublingPause(PAUSE, backfill.attempts);
    const nextTryAt = attempts < MAX_ATTEMPTS ? new Date(now().getTime() + pause) : null;
    await noteTrouble(database, backfill, (error as Error).message, nextTryAt);
  };

  const admit = (backfill: OpenBackfill, record: PublishRecord, isLast: boolean) =>
    admission.admit(record, async (client) => {
      if (!(await notePublish(client, backfill, record, isLast))) throw new MovedMeanwhileError();
    });

  /** The backfill after intervals of which nothing was missing. */
  const passed = async (backfill: OpenBackfill, ahead: Ahead): Promise<OpenBackfill> => {
    if (ahead.passed === 0) return backfill;
    if (!(await passCovered(database, backfill, ahead.passed, ahead.overlapped)))
      throw new MovedMeanwhileError();
    return movedBy(backfill, ahead.passed);
  };

  /**
   * Accepts all that is missing of some intervals, at once, so that small ones share a transaction. However many of them
   * are refused: each is accepted only behind the one before it.
   */
  const admitAll = async (
    from: OpenBackfill,
    missing: Ahead['missing'],
    onAccepted: () => void,
  ): Promise<OpenBackfill> => {
    let backfill = from;
    const admissions: Promise<void>[] = [];
    for (const records of missing)
      for (const [index, record] of records.entries()) {
        const isLast = index === records.length - 1;
        admissions.push(admit(backfill, record, isLast).then(onAccepted));
        const cursorBatches = backfill.cursorBatches + record.batchCount;
        backfill = isLast ? movedBy(backfill, 1) : { ...backfill, cursorBatches };
      }
    const refused = (await Promise.allSettled(admissions)).find(({ status }) => status === 'rejected');
    if (refused?.status === 'rejected') throw refused.reason;
    return backfill;
  };

  /** Ends a backfill that has come to what is not kept any more, and would be dropped as soon as it is written. */
  const end = async (backfill: OpenBackfill): Promise<OpenBackfill> => {
    const before = new Date(backfill.cursor.getTime() + backfill.intervalMinutes * 60_000).toISOString();
    const reason = `What lies before ${before} was not filled in: by then it was older than reads are kept (READS_RETENTION_DAYS=${readsRetentionDays}).`;
    await endBackfill(database, backfill, reason);
    return { ...backfill, state: 'cancelled', cursorBatches: 0 };
  };

  /**
   * One turn: the next intervals of which something is missing.
   *
   * @param onAccepted told of every publish.
   * @returns the backfill after it; undefined when it has to wait.
   */
  const serve = async (seen: OpenBackfill, onAccepted: () => void): Promise<OpenBackfill | undefined> => {
    if (!isKept(seen.cursor)) return end(seen);
    const ahead = await lookAhead(database, missingParts, seen, isKept);
    if (ahead.passed > 0 || ahead.missing.length > 0)
      return admitAll(await passed(seen, ahead), ahead.missing, onAccepted);
    if (ahead.isPending) await putOffBackfill(database, seen, new Date(now().getTime() + PENDING_PAUSE_MS));
    return undefined;
  };

  const settle = async (errors: unknown[]): Promise<void> => {
    for (const backfillId of await unsettledBackfills(database))
      await settleBackfill(database, backfillId).catch((error: unknown) => errors.push(error));
  };

  return {
    async supply() {
      const until = performance.now() + PASS_MS;
      const errors: unknown[] = [];
      let accepted = 0;
      let closed = 0;
      await settle(errors);
      const turns = createBackfillTurns(await openBackfills(database, now()));
      while (performance.now() < until) {
        const backfill = turns.next();
        if (!backfill) break;
        try {
          const after = await serve(backfill, () => {
            accepted += 1;
          });
          if (after === undefined) continue;
          if (isOpen(after)) turns.giveBack(after);
          else closed += 1;
        } catch (error) {
          if (error instanceof BackpressureError) break;
          if (isPassing(error)) errors.push(error);
          else if (!(error instanceof MovedMeanwhileError))
            await note(backfill, error).catch((failed: unknown) => errors.push(failed));
        }
      }
      // One of which nothing was missing is over now.
      if (closed > 0) await settle(errors);
      if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
      return accepted;
    },
  };
}

/** Thrown inside the admission's transaction, which it rolls back: somebody cancelled or served the backfill. */
class MovedMeanwhileError extends Error {
  override name = 'MovedMeanwhileError';
}

/** What is tried again without counting: it says nothing about the interval. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  return error instanceof DependencyUnavailableError || isTransient(error) || isSnapshotGone(error);
}

function isOpen({ state, cursor, from, cursorBatches }: OpenBackfill): boolean {
  return state === 'active' ? cursor >= from : cursorBatches > 0;
}

import type { Logger } from 'pino';
import { BackpressureError } from '../contracts/errors.js';
import { keptSince } from '../contracts/intervals.js';
import { type Database, isPassing } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
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
  /** Told what the database says of an interval that cannot be accepted: answers have less of it. */
  log?: Pick<Logger, 'warn'>;
}

export interface BackfillSupplier {
  /**
   * Accepts publishes for about a second, for every backfill in turn, until the queue is full. To be called every second
   * or so. Several processes may do this at once, though one alone gets further.
   *
   * @returns how many publishes were accepted.
   * @throws AggregateError with what kept it from some of the work, which is tried again.
   */
  supply(): Promise<number>;
}

const PASS_MS = 1_000;
/** How soon an interval is looked at again that waits for another publish's batches. */
const PENDING_PAUSE_MS = 2_000;
/** With pauses of 5 s, 10 s, … 5 min: ten minutes in all, in which somebody may fill a registry. */
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Supplies the background lane with what backfills are missing, the newest interval of each first. */
export function createBackfillSupplier(options: SupplierOptions): BackfillSupplier {
  const { database, admission, missingParts, readsRetentionDays, now, log } = options;
  /** By the present clock, since days may pass before a backfill comes to its oldest intervals. */
  const isKept = (readAt: Date): boolean => {
    const kept = keptSince(now(), readsRetentionDays);
    return kept === undefined || readAt >= kept;
  };

  /** A backfill whose interval cannot be accepted rests until its pause is over. */
  const note = async (backfill: OpenBackfill, error: unknown): Promise<void> => {
    const attempts = backfill.attempts + 1;
    const pause = doublingPause(PAUSE, backfill.attempts);
    const nextTryAt = attempts < MAX_ATTEMPTS ? new Date(now().getTime() + pause) : null;
    const { backfillId, tenantId, cursor } = backfill;
    const { message: reason } = error as Error;
    log?.warn(
      { backfillId, tenantId, readAt: cursor, reason, attempts, nextTryAt },
      'interval of a backfill not accepted',
    );
    await noteTrouble(database, backfill, shownReason(error), nextTryAt);
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
   * Asks at once for all that is missing of some intervals, so that small ones share a transaction. Each is accepted only
   * behind the one before it, so a refusal ends the row whatever follows.
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

  /** Ends a backfill whose cursor has come to reads that are not kept: they would be dropped as soon as they are written. */
  const end = async (backfill: OpenBackfill): Promise<OpenBackfill> => {
    const before = new Date(backfill.cursor.getTime() + backfill.intervalMinutes * 60_000).toISOString();
    const reason = `What lies before ${before} was not filled in: by then it was older than reads are kept (READS_RETENTION_DAYS=${readsRetentionDays}).`;
    await endBackfill(database, backfill, reason);
    return { ...backfill, state: 'cancelled', cursorBatches: 0 };
  };

  /**
   * One turn: publishes the next intervals that lack something.
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
          // What says nothing about the interval is tried again and not counted.
          if (isPassing(error, isSnapshotGone)) errors.push(error);
          else if (!(error instanceof MovedMeanwhileError))
            await note(backfill, error).catch((failed: unknown) => errors.push(failed));
        }
      }
      // A backfill that lacked nothing is over now.
      if (closed > 0) await settle(errors);
      if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
      return accepted;
    },
  };
}

/** Thrown inside the admission's transaction, to roll it back: somebody else has cancelled or served the backfill. */
class MovedMeanwhileError extends Error {
  override name = 'MovedMeanwhileError';
}

function isOpen({ state, cursor, from, cursorBatches }: OpenBackfill): boolean {
  return state === 'active' ? cursor >= from : cursorBatches > 0;
}

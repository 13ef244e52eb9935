import { ApiError, BackpressureError, DependencyUnavailableError } from '../contracts/errors.js';
import { type Database, isTransient } from '../db.js';
import { settleBackfill, unsettledBackfills } from '../stores/backfillProgress.js';
import {
  notePublish,
  noteTrouble,
  type OpenBackfill,
  openBackfills,
  passCovered,
} from '../stores/backfills.js';
import { isFleetGone } from '../stores/fleets.js';
import type { PublishRecord } from '../stores/publishLedger.js';
import type { Admission } from './admission.js';
import { createBackfillTurns } from './backfillTurns.js';
import type { Coverage } from './coverage.js';

interface FeederOptions {
  database: Database;
  admission: Admission;
  coverage: Pick<Coverage, 'missing'>;
  now: () => Date;
}

export interface BackfillFeeder {
  /**
   * Accepts what there is room for, for every backfill in turn, for about a second; to be called every second or so. Safe
   * from several processes at once, though one alone gets further.
   *
   * @returns how many publishes were accepted.
   * @throws AggregateError what kept it from some of the work; it is tried again.
   */
  feed(): Promise<number>;
}

const PASS_MS = 1_000;
/** Intervals looked at in one turn while nothing is missing of them: tens of ms. */
const COVERED_IN_A_TURN = 25;
/** 5 s, 10 s, … 5 min: some ten minutes in all, in which somebody may fill a registry. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

/** Feeds the background lane with what backfills are missing, the newest interval of each first. */
export function createBackfillFeeder({ database, admission, coverage, now }: FeederOptions): BackfillFeeder {
  /** Nothing further is asked of a backfill whose interval cannot be accepted until its pause is over. */
  const note = async (backfill: OpenBackfill, error: unknown): Promise<void> => {
    const attempts = backfill.attempts + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
    const nextTryAt = attempts < MAX_ATTEMPTS ? new Date(now().getTime() + pause) : null;
    await noteTrouble(database, backfill, (error as Error).message, nextTryAt);
  };

  const admit = (backfill: OpenBackfill, record: PublishRecord, isLast: boolean) =>
    admission.admit(record, async (client) => {
      if (!(await notePublish(client, backfill, record, isLast))) throw new MovedMeanwhileError();
    });

  /** The backfill after intervals of which nothing was missing. */
  const passed = async (backfill: OpenBackfill, intervals: number): Promise<OpenBackfill> => {
    if (intervals === 0) return backfill;
    if (!(await passCovered(database, backfill, intervals))) throw new MovedMeanwhileError();
    return movedBy(backfill, intervals);
  };

  /**
   * One turn: the next interval of which something is missing.
   *
   * @param onAccepted told of every publish.
   * @returns the backfill after it.
   */
  const serve = async (seen: OpenBackfill, onAccepted: () => void): Promise<OpenBackfill> => {
    let covered = 0;
    let records: PublishRecord[] = [];
    try {
      for (; covered < COVERED_IN_A_TURN; covered += 1) {
        const { cursor } = movedBy(seen, covered);
        if (cursor < seen.from || (covered > 0 && seen.state === 'cancelled')) break;
        records = await coverage.missing(seen, cursor, {
          origin: 'backfill',
          lane: 'background',
          requestId: seen.requestId,
        });
        if (records.length > 0) break;
      }
    } catch (error) {
      // Its trouble is that of the interval it has come to.
      if (covered > 0) return passed(seen, covered);
      throw error;
    }
    let backfill = await passed(seen, covered);
    for (const [index, record] of records.entries()) {
      const isLast = index === records.length - 1;
      await admit(backfill, record, isLast);
      onAccepted();
      const cursorBatches = backfill.cursorBatches + record.batchCount;
      backfill = isLast ? movedBy(backfill, 1) : { ...backfill, cursorBatches };
    }
    return backfill;
  };

  const settle = async (errors: unknown[]): Promise<void> => {
    for (const backfillId of await unsettledBackfills(database))
      await settleBackfill(database, backfillId).catch((error: unknown) => errors.push(error));
  };

  return {
    async feed() {
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
  return error instanceof DependencyUnavailableError || isTransient(error) || isFleetGone(error);
}

function movedBy(backfill: OpenBackfill, intervals: number): OpenBackfill {
  if (intervals === 0) return backfill;
  const cursor = new Date(backfill.cursor.getTime() - intervals * backfill.intervalMinutes * 60_000);
  return { ...backfill, cursor, cursorBatches: 0, attempts: 0 };
}

function isOpen({ state, cursor, from, cursorBatches }: OpenBackfill): boolean {
  return state === 'active' ? cursor >= from : cursorBatches > 0;
}

import type { Database } from '../db/db.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import type { MissingParts } from '../publishing/missingParts.js';
import { type OpenBackfill, ownPublishes } from './cursor.js';

/** What one turn of a backfill does from its cursor on: it passes some intervals, then publishes some. */
export interface Ahead {
  /** Intervals that need no publish. */
  passed: number;
  /** Those among the passed that lie in intervals of another length, or over them. */
  overlapped: number;
  /** The publishes that each interval after the passed ones needs. */
  missing: PublishRecord[][];
  /**
   * True when another publish is still writing the next interval. That interval is then neither passed nor published;
   * if the other publish fails it counts as missing.
   */
  isPending: boolean;
}

/** Intervals that one turn looks at when nothing is missing: tens of ms. */
const PASSED_IN_A_TURN = 25;
/** Jobs that one turn accepts, in one or two transactions; an interval with more jobs takes a turn of its own. */
const JOBS_IN_A_TURN = 8;

/**
 * Looks from a backfill's cursor on as far as one turn goes.
 *
 * @param isKept whether reads of an instant are kept.
 * @throws what looking at the first interval throws. An error at a later one is left to a later turn.
 */
export async function lookAhead(
  database: Database,
  missingParts: Pick<MissingParts, 'look'>,
  backfill: OpenBackfill,
  isKept: (readAt: Date) => boolean,
): Promise<Ahead> {
  const ahead: Ahead = { passed: 0, overlapped: 0, missing: [], isPending: false };
  const as = { origin: 'backfill', lane: 'background', requestId: backfill.requestId } as const;
  // A cancelled backfill only finishes the interval that it has begun.
  const most = backfill.state === 'cancelled' ? 1 : PASSED_IN_A_TURN;
  for (let looked = 0; looked < most; looked += 1) {
    const { cursor } = movedBy(backfill, looked);
    if (cursor < backfill.from || !isKept(cursor)) break;
    const isBegun = looked === 0 && backfill.cursorBatches > 0;
    try {
      const { records, pending, isOverlapped } = await missingParts.look(backfill, cursor, as);
      const own = isBegun && pending.length > 0 ? await ownPublishes(database, backfill) : [];
      ahead.isPending = pending.some((publishId) => !own.includes(publishId));
      if (ahead.isPending) break;
      if (records.length === 0) {
        if (ahead.missing.length > 0) break;
        ahead.passed += 1;
        if (isOverlapped && !isBegun) ahead.overlapped += 1;
        continue;
      }
      if (ahead.missing.length > 0 && jobsOf([...ahead.missing, records]) > JOBS_IN_A_TURN) break;
      ahead.missing.push(records);
    } catch (error) {
      if (looked === 0) throw error;
      break;
    }
  }
  return ahead;
}

/** The backfill after its cursor has moved over this many intervals. */
export function movedBy(backfill: OpenBackfill, intervals: number): OpenBackfill {
  if (intervals === 0) return backfill;
  const cursor = new Date(backfill.cursor.getTime() - intervals * backfill.intervalMinutes * 60_000);
  return { ...backfill, cursor, cursorBatches: 0, attempts: 0 };
}

function jobsOf(intervals: readonly PublishRecord[][]): number {
  return intervals.flat().reduce((sum, { batchCount }) => sum + batchCount, 0);
}

import type { Database } from '../db/db.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import type { MissingParts } from '../publishing/missingParts.js';
import { type OpenBackfill, ownPublishes } from './cursor.js';

/** What one turn of a backfill comes to: from its cursor on, intervals to pass, and behind them intervals to publish. */
export interface Ahead {
  /** Intervals of which nothing is to be published. */
  passed: number;
  /** Those of them that lie in intervals of another length, or over them. */
  overlapped: number;
  /** What is to be published of each interval after those. */
  missing: PublishRecord[][];
  /**
   * Whether the interval behind all these waits for what others have begun to publish of it: if that fails, it is missing
   * after all.
   */
  isPending: boolean;
}

/** Intervals looked at in one turn while nothing is missing of them: tens of ms. */
const PASSED_IN_A_TURN = 25;
/** Jobs of small intervals accepted in one turn, in one or two transactions: a large interval is one turn's alone. */
const JOBS_IN_A_TURN = 8;

/**
 * Looks from a backfill's cursor on as far as one turn goes.
 *
 * @param isKept whether reads of an instant are kept.
 * @throws what looking at the first interval throws; of a later one that is a later turn's.
 */
export async function lookAhead(
  database: Database,
  missingParts: Pick<MissingParts, 'look'>,
  backfill: OpenBackfill,
  isKept: (readAt: Date) => boolean,
): Promise<Ahead> {
  const ahead: Ahead = { passed: 0, overlapped: 0, missing: [], isPending: false };
  const as = { origin: 'backfill', lane: 'background', requestId: backfill.requestId } as const;
  // Of one that was cancelled only what was begun is finished.
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

/** A backfill as it is when its cursor has moved over so many intervals. */
export function movedBy(backfill: OpenBackfill, intervals: number): OpenBackfill {
  if (intervals === 0) return backfill;
  const cursor = new Date(backfill.cursor.getTime() - intervals * backfill.intervalMinutes * 60_000);
  return { ...backfill, cursor, cursorBatches: 0, attempts: 0 };
}

function jobsOf(intervals: readonly PublishRecord[][]): number {
  return intervals.flat().reduce((sum, { batchCount }) => sum + batchCount, 0);
}

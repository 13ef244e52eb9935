import { LRUCache } from 'lru-cache';
import { answerBudget } from '../contracts/answerBudget.js';
import type { Queryable } from '../db/db.js';
import { withDeadline } from '../timing/deadline.js';
import type { LatestIntervals } from './latestIntervals.js';
import { type StaleMetersBuckets, staleMetersAt } from './staleness.js';
import { TooSlowError } from './unreadable.js';
import { KEPT_TENANTS } from './version.js';

export interface Staleness {
  /** Null without any interval, and while it is still being counted: then there is a warning. */
  staleMetersBuckets: StaleMetersBuckets | null;
  /** The interval that the meters are aged against; null without any. */
  staleMetersReference: Date | null;
  warnings?: string[];
}

interface Counting {
  tag: string;
  staleness: Promise<Staleness>;
}

/**
 * The one part of the answer that may have to look at each silent meter by itself. It has a share of the answer's time.
 * What comes later than that is kept for the next caller, and this answer goes without.
 */
export function createBoundedStaleness(
  database: Queryable,
  count: typeof staleMetersAt = staleMetersAt,
): (tenantId: string, tag: string, intervals: LatestIntervals) => Promise<Staleness> {
  const kept = new LRUCache<string, { tag: string; staleness: Staleness }>({ max: KEPT_TENANTS });
  /** One count per tenant at a time: while an interval is written, each batch makes a new tag. */
  const underWay = new Map<string, Counting>();

  const begin = (tenantId: string, tag: string, intervals: LatestIntervals): Promise<Staleness> => {
    const staleness = counted(tenantId, intervals)
      .then((found) => {
        kept.set(tenantId, { tag, staleness: found });
        return found;
      })
      .finally(() => underWay.delete(tenantId));
    underWay.set(tenantId, { tag, staleness });
    return staleness;
  };

  const counted = async (
    tenantId: string,
    { latest, settled, latestReadAt }: LatestIntervals,
  ): Promise<Staleness> => {
    // While an interval is being written, most of its meters are merely not written yet. So age is measured against the
    // last finished interval. If none has finished, the one being written is all there is.
    const at = settled ?? latest;
    return {
      staleMetersBuckets: at === null ? null : await count(database, tenantId, at, latestReadAt ?? at),
      staleMetersReference: at,
    };
  };

  /** Waits for a count of another tag to end; it may fail, which is its own caller's matter. */
  const inTurn = async (
    tenantId: string,
    tag: string,
    intervals: LatestIntervals,
    caller: { isGone: boolean },
  ): Promise<Staleness> => {
    for (let other = underWay.get(tenantId); other !== undefined; other = underWay.get(tenantId)) {
      if (other.tag === tag) return other.staleness;
      await Promise.allSettled([other.staleness]);
    }
    const before = kept.get(tenantId);
    if (before?.tag === tag) return before.staleness;
    // Else each poll during a long count would leave one more to be made after it, for nobody.
    if (caller.isGone) throw new TooSlowError();
    return begin(tenantId, tag, intervals);
  };

  return (tenantId, tag, intervals) => {
    const before = kept.get(tenantId);
    if (before?.tag === tag) return Promise.resolve(before.staleness);
    const caller = { isGone: false };
    return withDeadline(
      () => inTurn(tenantId, tag, intervals, caller),
      answerBudget().staleness,
      () => {
        caller.isGone = true;
        return new TooSlowError();
      },
    ).catch((error: unknown) => {
      if (!(error instanceof TooSlowError)) throw error;
      return {
        staleMetersBuckets: null,
        staleMetersReference: intervals.settled ?? intervals.latest,
        warnings: [LATE],
      };
    });
  };
}

const LATE =
  'staleMetersBuckets is null, since the silent meters are still being counted; an answer soon after this one has it.';

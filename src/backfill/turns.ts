import type { OpenBackfill } from './cursor.js';

export interface BackfillTurns {
  /** Takes the backfill whose turn it is; undefined when none is left. */
  next(): OpenBackfill | undefined;
  /** Puts a served backfill behind the others. */
  giveBack(backfill: OpenBackfill): void;
}

/**
 * Tenants take turns, and so do the backfills of each tenant: the one served least recently is next. A tenant that asks
 * for its past in pieces gets no more turns for it.
 *
 * @param backfills those served least recently first.
 */
export function createBackfillTurns(backfills: readonly OpenBackfill[]): BackfillTurns {
  /** Each tenant's in their order; the tenants by when their last one was served. */
  const waiting = new Map<string, OpenBackfill[]>();
  for (const backfill of backfills) {
    const others = waiting.get(backfill.tenantId) ?? [];
    // Behind the tenants whose last one was served before.
    waiting.delete(backfill.tenantId);
    waiting.set(backfill.tenantId, [...others, backfill]);
  }
  return {
    next() {
      const [first] = waiting;
      if (!first) return undefined;
      const [tenantId, [backfill, ...others]] = first;
      waiting.delete(tenantId);
      // It has had its turn, whatever comes of it.
      if (others.length > 0) waiting.set(tenantId, others);
      return backfill;
    },
    giveBack(backfill) {
      const others = waiting.get(backfill.tenantId) ?? [];
      waiting.delete(backfill.tenantId);
      waiting.set(backfill.tenantId, [...others, backfill]);
    },
  };
}

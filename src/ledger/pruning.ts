import { MS_PER_DAY } from '../contracts/intervals.js';
import { type Database, withTransaction } from '../db/db.js';
import { boundWaits } from '../db/locks.js';
import { deleteOwedBefore, deletePublishesOlderThan, markPruned } from './pruningSql.js';

/** Publishes per transaction: with up to 200 batches each, some tenths of a second. */
const AT_ONCE = 50;
/** Publishes per run. A run comes every ten seconds, in which far fewer can be published. */
const A_RUN = 500;
/** A process that freezes in the middle must not hold what it has locked. */
const FROZEN_AFTER_MS = 15_000;

/**
 * Deletes publishes that were accepted more than `retentionDays` ago from the ledger, the oldest first. Their reads
 * stay. The publishes that a tenant's latest interval rests on stay too, however old. Owed intervals as old as that are
 * forgotten.
 *
 * @param now instant by the clock that intervals are owed by.
 * @param until begins no further transaction after this instant of `performance.now()`.
 * @returns how many were deleted.
 */
export async function pruneLedger(
  database: Database,
  retentionDays: number,
  now: Date,
  until: number,
): Promise<number> {
  await deleteOwedBefore(database, new Date(now.getTime() - retentionDays * MS_PER_DAY));
  let pruned = 0;
  while (pruned < A_RUN && performance.now() < until) {
    const deleted = await withTransaction(database, async (client) => {
      await boundWaits(client, { frozenMs: FROZEN_AFTER_MS });
      const found = await deletePublishesOlderThan(client, retentionDays, AT_ONCE);
      if (found.deleted > 0) await markPruned(client, found.days);
      return found.deleted;
    });
    pruned += deleted;
    if (deleted < AT_ONCE) break;
  }
  return pruned;
}

import type { Database } from '../db/db.js';

/** Rows deleted in one statement: tens of ms. */
const DELETED_AT_ONCE = 10_000;

/**
 * Forgets what reads were before an import took their place, of reads older than `before`, whose days are dropped as well.
 *
 * @param until begins nothing after this instant of `performance.now()`.
 */
export async function forgetReplacedReads(database: Database, before: Date, until: number): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM ami_replaced_reads WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ami_replaced_reads WHERE read_at < $1 LIMIT ${DELETED_AT_ONCE}))`,
      [before],
    );
    if ((rowCount ?? 0) < DELETED_AT_ONCE || performance.now() >= until) return;
  }
}

import type { Database } from '../db/db.js';

/** Rows deleted in one statement: tens of ms. */
const DELETED_AT_ONCE = 10_000;

/**
 * Forgets what was found and estimated of reads older than `readsBefore`, which are dropped as well, and runs that ended
 * before `runsBefore`.
 *
 * @param readsBefore undefined keeps all, as the reads are.
 * @param until begins nothing after this instant of `performance.now()`.
 */
export async function forgetValidation(
  database: Database,
  { readsBefore, runsBefore }: { readsBefore: Date | undefined; runsBefore: Date },
  until: number,
): Promise<void> {
  if (readsBefore !== undefined) {
    await forget(database, 'ami_vee_findings', 'to_at', readsBefore, until);
    await forget(database, 'ami_vee_qualities', 'read_at', readsBefore, until);
    await forget(database, 'ami_vee_estimates', 'read_at', readsBefore, until);
  }
  await forget(database, 'ami_vee_runs', 'finished_at', runsBefore, until);
}

async function forget(
  database: Database,
  table: 'ami_vee_findings' | 'ami_vee_qualities' | 'ami_vee_estimates' | 'ami_vee_runs',
  column: 'to_at' | 'read_at' | 'finished_at',
  before: Date,
  until: number,
): Promise<void> {
  while (performance.now() < until) {
    const { rowCount } = await database.query(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE ${column} < $1 LIMIT ${DELETED_AT_ONCE}))`,
      [before],
    );
    if ((rowCount ?? 0) < DELETED_AT_ONCE) return;
  }
}

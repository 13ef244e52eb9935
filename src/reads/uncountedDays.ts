import type { Database } from '../db/db.js';
import { countAlone } from './countAlone.js';

/**
 * Counts what was fed in on the days whose reads are older than that column of the rollups, the latest first, each in a
 * transaction of its own (`ami_count_received`). Where writers keep a day waiting, the next call goes on with it.
 *
 * @param until instant of `performance.now()`: no day is begun after it.
 * @returns how many days are left.
 */
export async function countUncountedDays(database: Database, until: number): Promise<number> {
  const { rows } = await database.query<{ day: string }>(
    'SELECT day::text FROM ami_uncounted_days uncounted ORDER BY uncounted.day DESC',
  );
  for (const [place, { day }] of rows.entries()) {
    const isCounted =
      performance.now() <= until &&
      (await countAlone(database, 'SELECT ami_count_received($1::date) IS NOT NULL AS "isDone"', day));
    if (!isCounted) return rows.length - place;
  }
  return 0;
}

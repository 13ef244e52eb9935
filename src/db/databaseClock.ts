import type { Queryable } from './db.js';

/**
 * How far this machine's clock is ahead of the database's, in ms; negative behind it, and 0 where the way of question
 * and answer leaves that open. However long they take, it is never more than the real difference.
 *
 * @param now this machine's clock, epoch ms.
 */
export async function clockDifferenceMs(database: Queryable, now: () => number = Date.now): Promise<number> {
  return differenceFromClock(async () => {
    const { rows } = await database.query<{ at: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS at',
    );
    return rows[0]?.at as number;
  }, now);
}

/**
 * The same for any server that tells its time.
 *
 * @param ask its clock, epoch ms.
 */
export async function differenceFromClock(
  ask: () => Promise<number>,
  now: () => number = Date.now,
): Promise<number> {
  const asked = now();
  const at = await ask();
  const answered = now();
  if (at < asked) return Math.round(asked - at);
  return at > answered ? Math.round(answered - at) : 0;
}

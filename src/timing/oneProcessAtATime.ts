import { type Database, withTransaction } from '../db/db.js';
import { boundWaits, type TurnName, tryLock } from '../db/locks.js';

/**
 * Postgres takes the turn from a process that has said nothing for as long, frozen or gone without a farewell; one that
 * works says something three times as often. What it then does late must do no harm beside the next one's.
 */
const TURN_LOST_AFTER_MS = 15_000;
const SIGN_OF_LIFE_MS = TURN_LOST_AFTER_MS / 3;

/**
 * Does `work` unless any process on this Postgres is at the same: then undefined. The turn is an advisory lock of a
 * transaction of its own, so that nobody else waits for it, it works behind a pooler, and it ends with the process.
 *
 * @param name of the work.
 * @throws what `work` throws, and what Postgres says when the turn was lost.
 */
export async function oneProcessAtATime<T>(
  database: Database,
  name: TurnName,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return withTransaction(database, async (client) => {
    await boundWaits(client, { frozenMs: TURN_LOST_AFTER_MS });
    if (!(await tryLock(client, name))) return undefined;
    let lost: Error | undefined;
    const signs = setInterval(() => {
      client.query('SELECT').catch((error) => {
        lost = error;
        clearInterval(signs);
      });
    }, SIGN_OF_LIFE_MS);
    try {
      const result = await work();
      if (lost) throw lost;
      return result;
    } finally {
      clearInterval(signs);
    }
  });
}

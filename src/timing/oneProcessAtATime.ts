import pLimit, { type LimitFunction } from 'p-limit';
import { type Database, withTransaction } from '../db/db.js';
import { boundWaits, type TurnName, tryLock } from '../db/locks.js';

/**
 * Postgres takes the turn from a process that has been silent for 15 s: frozen, or cut off. A process that works sends a
 * sign of life every 5 s. What a frozen process does when it thaws must do no harm beside the work of the next one.
 */
const TURN_LOST_AFTER_MS = 15_000;
const SIGN_OF_LIFE_MS = TURN_LOST_AFTER_MS / 3;

/** Turns of each pool that hold a connection. */
const turnsOf = new WeakMap<Database, LimitFunction>();

/**
 * Turns may hold all connections but one: the work of a turn takes another connection, and turns that held all of them
 * would wait for each other.
 */
function turnsOn(database: Database): LimitFunction {
  const turns = turnsOf.get(database) ?? pLimit(Math.max(1, (database.options?.max ?? 10) - 1));
  turnsOf.set(database, turns);
  return turns;
}

/**
 * Does `work`, unless a process on this Postgres already does the same; the answer is then undefined. The turn is an
 * advisory lock in a transaction of its own: nobody waits for the lock, it works behind a pooler, and it ends with the
 * process.
 *
 * @param name of the work.
 * @throws what `work` throws, and what Postgres says when the turn was lost.
 */
export async function oneProcessAtATime<T>(
  database: Database,
  name: TurnName,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return turnsOn(database)(() => inTurn(database, name, work));
}

async function inTurn<T>(database: Database, name: TurnName, work: () => Promise<T>): Promise<T | undefined> {
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

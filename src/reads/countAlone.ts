import type { QueryConfig } from 'pg';
import { type Database, withTransaction } from '../db/db.js';
import { boundWaits } from '../db/locks.js';

/** How long a count waits for the writers under way, while those that come later wait behind it. */
const PATIENCE_MS = 1_000;
/** How long a count may take. */
const COUNT_MS = 600_000;

/**
 * Calls a function of the database that counts while nobody writes, in a transaction of its own: one that is cut off has
 * changed nothing, and is done again.
 *
 * @param text answers one row, `isDone`.
 * @returns false where it says so, or where writers kept it waiting.
 */
export async function countAlone(database: Database, text: string, value: string): Promise<boolean> {
  try {
    return await withTransaction(database, async (client) => {
      await boundWaits(client, { lockMs: PATIENCE_MS });
      await client.query(`SET LOCAL statement_timeout = ${COUNT_MS}`);
      const { rows } = await client.query<{ isDone: boolean }>({
        text,
        values: [value],
        query_timeout: COUNT_MS,
      } as QueryConfig);
      return rows[0]?.isDone === true;
    });
  } catch (error) {
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}
const LOCK_NOT_AVAILABLE = '55P03';

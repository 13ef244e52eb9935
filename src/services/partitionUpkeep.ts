import { type Database, withTransaction } from '../db.js';
import { dropPartitionsOlderThan, ensurePartitionsAround } from '../stores/partitions.js';

/** Partitions stand ready a week ahead: a deployment that sleeps over a long weekend wakes into ready ones. */
const DAYS_AHEAD = 7;
const DAYS_BACK = 1;

/** Makes the partitions of the days around `now`; a no-op when they exist. */
export async function preparePartitions(database: Database, now: Date): Promise<number> {
  return withTransaction(database, (client) => ensurePartitionsAround(client, now, DAYS_BACK, DAYS_AHEAD));
}

/**
 * Drops whole days of reads older than `retentionDays`; answers the names of the dropped partitions. Dropping
 * locks the table for an instant: behind a long report it gives up after a second and is tried next time,
 * rather than hold up every insert.
 */
export async function dropExpiredPartitions(
  database: Database,
  now: Date,
  retentionDays: number,
): Promise<string[]> {
  return withTransaction(database, async (client) => {
    await client.query(`SET LOCAL lock_timeout = '1s'`);
    return dropPartitionsOlderThan(client, now, retentionDays);
  });
}

import { keptSince } from '../contracts/intervals.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { boundWaits } from '../db/locks.js';
import {
  dropPartitionsBefore,
  ensurePartitionsAround,
  missingPartitionDays,
  recheckMetersOfOneTenant,
} from './partitions.js';

/** Partitions stand ready a week ahead: a deployment that sleeps over a long weekend wakes into ready ones. */
const DAYS_AHEAD = 7;
const DAYS_BACK = 1;
/** How long a process that freezes before its commit may keep the table to itself. */
const FROZEN_AFTER_MS = 5_000;

/** Makes the partitions of the days around `now`; a no-op when they exist. */
export async function preparePartitions(database: Database, now: Date): Promise<number> {
  return withTransaction(database, async (client) => {
    await boundWaits(client, { frozenMs: FROZEN_AFTER_MS });
    return preparePartitionsIn(client, now);
  });
}

/** The same in the caller's transaction. */
export function preparePartitionsIn(client: Queryable, now: Date): Promise<number> {
  return ensurePartitionsAround(client, now, DAYS_BACK, DAYS_AHEAD);
}

/** Which of these days have no partition, as `2026-01-31`; changes nothing. */
export function missingPartitions(client: Queryable, now: Date): Promise<string[]> {
  return missingPartitionDays(client, now, DAYS_BACK, DAYS_AHEAD);
}

/**
 * Drops whole days of reads older than `retentionDays`; answers the names of the dropped partitions. Dropping
 * wants the table to itself for a moment, and while it waits for that every insert waits behind it: so it waits
 * 100 ms at most, and behind a long report it is tried again at the next upkeep.
 */
export async function dropExpiredPartitions(
  database: Database,
  now: Date,
  retentionDays: number,
): Promise<string[]> {
  return withTransaction(database, async (client) => {
    await boundWaits(client, { lockMs: 100, frozenMs: FROZEN_AFTER_MS });
    return dropPartitionsBefore(client, keptSince(now, retentionDays));
  });
}

/**
 * Forgets the meters that a drop or a delete has left without any read, tenant by tenant.
 *
 * @param until no further tenant is looked at after this instant of `performance.now()`.
 */
export async function forgetMetersWithoutReads(database: Database, until: number): Promise<void> {
  while ((await recheckMetersOfOneTenant(database)) && performance.now() < until);
}

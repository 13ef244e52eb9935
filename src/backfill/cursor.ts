import type { FleetSettings } from '../contracts/fleetSettings.js';
import type { Queryable } from '../db/db.js';
import { emulationColumn } from '../ledger/emulationColumns.js';

/** A backfill as it is accepted. */
export interface NewBackfill extends FleetSettings {
  backfillId: string;
  from: Date;
  /** Exclusive. */
  to: Date;
  /** The size of one of its intervals, as planned. */
  intervalMeters: number;
  intervalBatches: number;
  requestId: string;
}

/** A backfill that still has something to accept. */
export interface OpenBackfill extends NewBackfill {
  /** A cancelled one ends with the interval that it has begun. */
  state: 'active' | 'cancelled';
  /** The next interval to be looked at. */
  cursor: Date;
  /** Batches accepted of the cursor's interval while parts of it are still to be accepted. */
  cursorBatches: number;
  /** How often in a row the cursor's interval could not be accepted. */
  attempts: number;
}

/** From `ami_backfills backfill`. */
export const BACKFILL_COLUMNS = `backfill.backfill_id AS "backfillId", backfill.tenant_id AS "tenantId",
  backfill.from_at AS "from", backfill.to_at AS "to", backfill.interval_minutes AS "intervalMinutes",
  backfill.batch_size AS "batchSize", backfill.meter_count AS "meterCount", backfill.feeder_count AS "feederCount",
  backfill.fleet, backfill.seed, backfill.time_zone AS "timeZone", backfill.climate,
  backfill.request_id AS "requestId", backfill.interval_meters AS "intervalMeters",
  backfill.interval_batches AS "intervalBatches", backfill.cursor_at AS "cursor",
  backfill.cursor_batches AS "cursorBatches", ${emulationColumn('backfill')}`;

/** How many take turns; further ones wait until one of these is over. */
const OPEN_AT_ONCE = 500;

/** The backfills that may be served at `now`, the least recently served first. */
export async function openBackfills(client: Queryable, now: Date): Promise<OpenBackfill[]> {
  const { rows } = await client.query<OpenBackfill>(
    `SELECT ${BACKFILL_COLUMNS}, state, attempts FROM ami_backfills backfill
     WHERE finished_at IS NULL AND is_open AND (next_try_at IS NULL OR next_try_at <= $1)
     ORDER BY served_at NULLS FIRST, accepted_at LIMIT ${OPEN_AT_ONCE}`,
    [now],
  );
  return rows;
}

/** True while the backfill is as it was looked at: nobody has cancelled or served it since. */
const AS_SEEN = `backfill_id = $1 AND is_open AND finished_at IS NULL AND cursor_at = $2 AND cursor_batches = $3`;
const UNTROUBLED = `served_at = clock_timestamp(), trouble = NULL, attempts = 0`;
const SERVED = `${UNTROUBLED}, next_try_at = NULL`;

const asSeen = ({ backfillId, cursor, cursorBatches }: OpenBackfill) => [backfillId, cursor, cursorBatches];

/**
 * Notes that a publish of the cursor's interval is being accepted, in the transaction that accepts it; with the last
 * one the cursor moves on.
 *
 * @returns false, with nothing changed, when the backfill is not as it was seen any more.
 */
export async function notePublish(
  client: Queryable,
  seen: OpenBackfill,
  publish: { publishId: string; batchCount: number },
  isLast: boolean,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_backfills SET ${SERVED},
       cursor_batches = CASE WHEN $5 THEN 0 ELSE cursor_batches + $4::integer END,
       covered_batches = covered_batches
         + CASE WHEN $5 THEN greatest(0, interval_batches - cursor_batches - $4::integer) ELSE 0 END,
       cursor_at = CASE WHEN $5 THEN cursor_at - interval_minutes * interval '1 min' ELSE cursor_at END,
       is_open = NOT $5 OR (state = 'active' AND cursor_at > from_at)
     WHERE ${AS_SEEN}`,
    [...asSeen(seen), publish.batchCount, isLast],
  );
  if (rowCount === 0) return false;
  await client.query(
    'INSERT INTO ami_backfill_publishes (publish_id, backfill_id, read_at) VALUES ($1, $2, $3)',
    [publish.publishId, seen.backfillId, seen.cursor],
  );
  return true;
}

/**
 * Moves the cursor over intervals that need no publish.
 *
 * @param overlapped how many of them are left alone. An interval at the cursor that was begun is not counted.
 * @returns false, with nothing changed, when the backfill is not as it was seen any more.
 */
export async function passCovered(
  client: Queryable,
  seen: OpenBackfill,
  intervals: number,
  overlapped: number,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_backfills SET ${SERVED}, cursor_batches = 0,
       covered_batches = covered_batches + greatest(0, interval_batches - cursor_batches)
         + ($4::integer - 1) * interval_batches,
       -- An interval of which the backfill has accepted parts counts when those are written.
       done_intervals = done_intervals + $4::integer - $5::integer - (cursor_batches > 0)::integer,
       overlapped_intervals = overlapped_intervals + $5::integer,
       cursor_at = cursor_at - $4::integer * interval_minutes * interval '1 min',
       is_open = state = 'active' AND cursor_at - ($4::integer - 1) * interval_minutes * interval '1 min' > from_at
     WHERE ${AS_SEEN}`,
    [...asSeen(seen), intervals, overlapped],
  );
  return rowCount === 1;
}

/** Notes why the cursor's interval cannot be accepted, and when to try again; null gives the backfill up. */
export async function noteTrouble(
  client: Queryable,
  seen: OpenBackfill,
  trouble: string,
  nextTryAt: Date | null,
): Promise<void> {
  await client.query(
    `UPDATE ami_backfills SET trouble = $4, attempts = attempts + 1, next_try_at = $5, served_at = clock_timestamp(),
       is_open = state = 'active' AND $5::timestamptz IS NOT NULL,
       state = CASE WHEN state = 'active' AND $5::timestamptz IS NULL THEN 'failed' ELSE state END
     WHERE ${AS_SEEN}`,
    [...asSeen(seen), trouble.slice(0, 500), nextTryAt],
  );
}

/** Leaves the cursor's interval for later though nothing is wrong with it. */
export async function putOffBackfill(client: Queryable, seen: OpenBackfill, nextTryAt: Date): Promise<void> {
  await client.query(`UPDATE ami_backfills SET ${UNTROUBLED}, next_try_at = $4 WHERE ${AS_SEEN}`, [
    ...asSeen(seen),
    nextTryAt,
  ]);
}

/** Ends a backfill at its cursor, whatever was begun there. */
export async function endBackfill(client: Queryable, seen: OpenBackfill, reason: string): Promise<void> {
  await client.query(
    `UPDATE ami_backfills SET state = 'cancelled', is_open = false, trouble = $4, served_at = clock_timestamp()
     WHERE ${AS_SEEN}`,
    [...asSeen(seen), reason],
  );
}

/** The publishes that a backfill itself has had accepted for the interval at its cursor. */
export async function ownPublishes(client: Queryable, seen: OpenBackfill): Promise<string[]> {
  const { rows } = await client.query<{ publishId: string }>(
    `SELECT publish_id AS "publishId" FROM ami_backfill_publishes WHERE backfill_id = $1 AND read_at = $2`,
    [seen.backfillId, seen.cursor],
  );
  return rows.map(({ publishId }) => publishId);
}

/** Cancels a backfill, which then only finishes the interval that it has begun. One that is over stays as it is. */
export async function cancelBackfill(client: Queryable, backfillId: string): Promise<void> {
  await client.query(
    `UPDATE ami_backfills SET state = 'cancelled', is_open = is_open AND cursor_batches > 0
     WHERE backfill_id = $1 AND state = 'active'`,
    [backfillId],
  );
}

import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { BACKFILL_COLUMNS, type NewBackfill } from './cursor.js';

/** How far a backfill is. */
export interface BackfillProgress extends NewBackfill {
  state: 'active' | 'done' | 'failed' | 'cancelled';
  /** The next interval to be looked at, and how many batches of it have been accepted when parts are missing. */
  cursor: Date;
  cursorBatches: number;
  acceptedAt: Date;
  startedAt: Date | null;
  lastBatchAt: Date | null;
  finishedAt: Date | null;
  /** Batches that others have published. */
  batchesCovered: number;
  batchesDone: number;
  batchesFailed: number;
  batchesCancelled: number;
  batchesPending: number;
  /** Meters of the pending ones. */
  metersPending: number;
  /** Intervals that are written whole. */
  intervalsDone: number;
  /** Intervals left alone, since intervals of another length have measured the same time. */
  intervalsOverlapped: number;
  inserted: number;
  updated: number;
  duplicate: number;
  skipped: number;
  failure: string | null;
}

/**
 * The counters, and beside them the publishes that are not counted yet: read in one statement, so that the sum is right
 * at every moment. Counting all publishes anew would need ledger rows that are pruned before a long backfill is done.
 */
const PROGRESS = `SELECT ${BACKFILL_COLUMNS}, state, accepted_at AS "acceptedAt",
    least(backfill.started_at, live.started_at) AS "startedAt",
    greatest(backfill.last_batch_at, live.last_batch_at) AS "lastBatchAt", finished_at AS "finishedAt",
    covered_batches AS "batchesCovered",
    (done_batches + live.done)::integer AS "batchesDone",
    (failed_batches + live.failed)::integer AS "batchesFailed",
    (cancelled_batches + live.cancelled)::integer AS "batchesCancelled",
    live.pending::integer AS "batchesPending", live.meters_pending::double precision AS "metersPending",
    (done_intervals + live.intervals_done)::integer AS "intervalsDone",
    overlapped_intervals AS "intervalsOverlapped",
    (backfill.inserted + live.inserted)::double precision AS inserted,
    (backfill.updated + live.updated)::double precision AS updated,
    (backfill.duplicate + live.duplicate)::double precision AS duplicate,
    (backfill.skipped + live.skipped)::double precision AS skipped,
    -- A backfill that was ended for its trouble failed for that reason.
    coalesce(CASE WHEN NOT is_open THEN trouble END, backfill.failure, live.failure, trouble) AS failure
  FROM ami_backfills backfill, LATERAL (
    SELECT coalesce(sum(done), 0) AS done, coalesce(sum(failed), 0) AS failed,
      coalesce(sum(cancelled), 0) AS cancelled, coalesce(sum(pending), 0) AS pending,
      coalesce(sum(meters_pending), 0) AS meters_pending,
      count(*) FILTER (WHERE done = batches AND read_at > backfill.cursor_at) AS intervals_done,
      coalesce(sum(of_interval.inserted), 0) AS inserted, coalesce(sum(of_interval.updated), 0) AS updated,
      coalesce(sum(of_interval.duplicate), 0) AS duplicate, coalesce(sum(of_interval.skipped), 0) AS skipped,
      min(of_interval.started_at) AS started_at, max(of_interval.last_batch_at) AS last_batch_at,
      min(of_interval.failure) AS failure
    FROM (
      SELECT mine.read_at, count(*) AS batches, count(*) FILTER (WHERE state = 'done') AS done,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'pending') AS pending,
        sum(meters) FILTER (WHERE state = 'pending') AS meters_pending,
        sum(batch.inserted) AS inserted, sum(batch.updated) AS updated, sum(batch.duplicate) AS duplicate,
        sum(batch.skipped) AS skipped, min(batch.started_at) AS started_at,
        max(batch.finished_at) AS last_batch_at, min(batch.failure) AS failure
      FROM ami_backfill_publishes mine JOIN ami_publish_batches batch USING (publish_id)
      WHERE mine.backfill_id = backfill.backfill_id GROUP BY mine.read_at
    ) of_interval
  ) live`;

/** How far a backfill is; undefined when there is no such one. */
export async function backfillProgress(
  client: Queryable,
  backfillId: string,
): Promise<BackfillProgress | undefined> {
  const { rows } = await client.query<BackfillProgress>(`${PROGRESS} WHERE backfill_id = $1`, [backfillId]);
  return rows[0];
}

/** A tenant's backfills, the latest first. */
export async function listBackfills(
  client: Queryable,
  tenantId: string,
  limit: number,
): Promise<BackfillProgress[]> {
  const { rows } = await client.query<BackfillProgress>(
    `${PROGRESS} WHERE tenant_id = $1 ORDER BY accepted_at DESC, backfill_id LIMIT $2`,
    [tenantId, limit],
  );
  return rows;
}

/** A tenant's backfills under way. */
export async function activeBackfillIds(client: Queryable, tenantId: string): Promise<string[]> {
  const { rows } = await client.query<{ backfillId: string }>(
    `SELECT backfill_id AS "backfillId" FROM ami_backfills
     WHERE tenant_id = $1 AND finished_at IS NULL AND state = 'active' ORDER BY accepted_at`,
    [tenantId],
  );
  return rows.map(({ backfillId }) => backfillId);
}

/** True of publishes that may be counted: their interval is accepted whole, or never will be. */
const IS_ACCEPTED = `(mine.read_at > backfill.cursor_at OR NOT backfill.is_open)`;

/** Backfills with something for `settleBackfill` to do. */
export async function unsettledBackfills(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ backfillId: string }>(
    `SELECT backfill_id AS "backfillId" FROM ami_backfills backfill
     WHERE finished_at IS NULL AND (
       EXISTS (
         SELECT FROM ami_backfill_publishes mine
         WHERE mine.backfill_id = backfill.backfill_id AND ${IS_ACCEPTED} AND NOT EXISTS (
           SELECT FROM ami_publish_batches batch
           WHERE batch.publish_id = mine.publish_id AND batch.state = 'pending'))
       OR NOT is_open AND NOT EXISTS (
         SELECT FROM ami_backfill_publishes mine WHERE mine.backfill_id = backfill.backfill_id))`,
  );
  return rows.map(({ backfillId }) => backfillId);
}

/**
 * Adds the publishes that are over to a backfill's counters, and finishes the backfill when none is left. Several
 * processes may do this at once, at any time: each row of the ledger is counted once, and may be deleted afterwards.
 */
export function settleBackfill(database: Database, backfillId: string): Promise<void> {
  return withTransaction(database, async (client) => {
    await client.query('SELECT FROM ami_backfills WHERE backfill_id = $1 FOR UPDATE', [backfillId]);
    // Separate statements, which see what was committed before the lock was taken.
    await client.query(
      `WITH over AS (
         SELECT mine.read_at, bool_and(mine.read_at > backfill.cursor_at AND batch.state = 'done') AS is_whole
         FROM ami_backfills backfill JOIN ami_backfill_publishes mine USING (backfill_id)
           JOIN ami_publish_batches batch USING (publish_id)
         WHERE backfill_id = $1 AND ${IS_ACCEPTED}
         GROUP BY 1 HAVING bool_and(batch.state <> 'pending')
       ), counted AS (
         DELETE FROM ami_backfill_publishes mine USING over
         WHERE mine.backfill_id = $1 AND mine.read_at = over.read_at RETURNING mine.publish_id
       ), sums AS (
         SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
           coalesce(sum(inserted), 0) AS inserted, coalesce(sum(updated), 0) AS updated,
           coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(skipped), 0) AS skipped,
           min(started_at) AS started_at, max(finished_at) AS last_batch_at,
           (array_agg(failure ORDER BY finished_at) FILTER (WHERE failure IS NOT NULL))[1] AS failure
         FROM counted JOIN ami_publish_batches USING (publish_id)
       )
       UPDATE ami_backfills backfill SET
         done_intervals = done_intervals + (SELECT count(*) FROM over WHERE is_whole),
         done_batches = done_batches + sums.done, failed_batches = failed_batches + sums.failed,
         cancelled_batches = cancelled_batches + sums.cancelled,
         inserted = backfill.inserted + sums.inserted, updated = backfill.updated + sums.updated,
         duplicate = backfill.duplicate + sums.duplicate, skipped = backfill.skipped + sums.skipped,
         started_at = least(backfill.started_at, sums.started_at),
         last_batch_at = greatest(backfill.last_batch_at, sums.last_batch_at),
         failure = coalesce(backfill.failure, sums.failure)
       FROM sums WHERE backfill_id = $1`,
      [backfillId],
    );
    await client.query(
      `UPDATE ami_backfills SET finished_at = coalesce(last_batch_at, clock_timestamp()),
         state = CASE WHEN state <> 'active' THEN state WHEN failed_batches > 0 THEN 'failed' ELSE 'done' END
       WHERE backfill_id = $1 AND finished_at IS NULL AND NOT is_open
         AND NOT EXISTS (SELECT FROM ami_backfill_publishes WHERE backfill_id = $1)`,
      [backfillId],
    );
  });
}

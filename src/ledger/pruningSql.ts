import type { Queryable } from '../db/db.js';
import { OF_AN_INTERVAL } from './publishedIntervals.js';

/** A tenant's UTC day, `2026-01-31`, of which publishes were deleted. */
export interface PrunedDay {
  tenantId: string;
  day: string;
  /** Whether the deleted publishes had written anything, in intervals of this length. */
  hasQuarters: boolean;
  hasHours: boolean;
}

/**
 * CTE `kept`: per tenant the interval from which on its publishes stay, the latest finished one; of a tenant for whom
 * nothing was ever written the latest published one.
 *
 * One look per tenant. Scalar subqueries, because the planner assumes each is true for half of the rows and probes an
 * index, where joins over tables without statistics took seconds, and would look at all that are aged to find the
 * oldest.
 */
const KEPT_PER_TENANT = `tenant AS (
       (SELECT tenant_id FROM ami_publishes ORDER BY tenant_id LIMIT 1)
       UNION ALL
       SELECT (SELECT publish.tenant_id FROM ami_publishes publish WHERE publish.tenant_id > tenant.tenant_id
               ORDER BY publish.tenant_id LIMIT 1)
       FROM tenant WHERE tenant.tenant_id IS NOT NULL
     ), writing AS MATERIALIZED (
       SELECT tenant_id, ami_intervals_being_written(tenant_id) AS read_ats FROM tenant WHERE tenant_id IS NOT NULL
     ), kept AS MATERIALIZED (
       SELECT tenant_id, coalesce(
           (SELECT read_at FROM ami_publishes latest
            WHERE latest.tenant_id = writing.tenant_id AND latest.origin ${OF_AN_INTERVAL}
              AND (SELECT true FROM ami_publish_batches batch
                   WHERE batch.publish_id = latest.publish_id AND batch.state = 'done' LIMIT 1)
              AND latest.read_at <> ALL (writing.read_ats)
            ORDER BY latest.read_at DESC LIMIT 1),
           (SELECT max(read_at) FROM ami_publishes latest WHERE latest.tenant_id = writing.tenant_id)) AS from_read_at
       FROM writing
     )`;

/**
 * Deletes the oldest publishes that were accepted more than `days` days ago, at most `limit`, with their batches.
 *
 * A publish stays while one of its batches is still to be written, while a backfill has yet to count it, and while a
 * transaction locks it. Those of a tenant's latest finished interval and of later ones stay too: what is expected now,
 * and what an event revises, is read from them.
 */
export async function deletePublishesOlderThan(
  client: Queryable,
  days: number,
  limit: number,
): Promise<{ deleted: number; days: PrunedDay[] }> {
  const { rows } = await client.query<PrunedDay & { publishes: number }>(
    `WITH RECURSIVE ${KEPT_PER_TENANT}, aged AS (
       -- An import says nothing of the intervals of a fleet, and a late delivery nothing that its interval's publish does not.
       SELECT publish_id, publish.origin NOT IN ('import', 'late') AND (SELECT true FROM ami_publish_batches batch
           WHERE batch.publish_id = publish.publish_id AND batch.state = 'done' LIMIT 1) AS is_written
       FROM ami_publishes publish
       WHERE publish.accepted_at < now() - $1 * interval '1 day'
         AND publish.read_at < (SELECT from_read_at FROM kept WHERE kept.tenant_id = publish.tenant_id)
         AND coalesce((SELECT false FROM ami_publish_batches batch
                       WHERE batch.publish_id = publish.publish_id AND batch.state = 'pending' LIMIT 1), true)
         -- What a backfill has not counted yet.
         AND coalesce((SELECT false FROM ami_backfill_publishes part
                       WHERE part.publish_id = publish.publish_id), true)
         -- What an outage has held back and that is not delivered yet.
         AND coalesce((SELECT false FROM ami_held_reads held
                       WHERE held.publish_id = publish.publish_id AND held.state IN ('held', 'sent') LIMIT 1), true)
         -- What an import that is not over has not counted yet.
         AND coalesce((SELECT false FROM ami_imports import
                       WHERE import.import_id = publish.import_id AND import.finished_at IS NULL), true)
       ORDER BY publish.accepted_at LIMIT $2
       FOR UPDATE OF publish SKIP LOCKED
     ), deleted AS (
       DELETE FROM ami_publishes publish USING aged WHERE publish.publish_id = aged.publish_id
       RETURNING publish.tenant_id, publish.read_at, publish.interval_minutes, aged.is_written
     )
     SELECT tenant_id AS "tenantId", ami_utc_day(read_at)::text AS day, count(*)::integer AS publishes,
       coalesce(bool_or(is_written AND interval_minutes = 15), false) AS "hasQuarters",
       coalesce(bool_or(is_written AND interval_minutes = 60), false) AS "hasHours"
     FROM deleted GROUP BY 1, 2 ORDER BY 1, 2`,
    [days, limit],
  );
  return {
    deleted: rows.reduce((sum, { publishes }) => sum + publishes, 0),
    days: rows.map(({ publishes, ...day }) => day),
  };
}

/**
 * Notes that the ledger no longer tells all about these days, and gives each day a new version: what was expected of it
 * is now read from the reads, and the KPIs may change by that.
 */
export async function markPruned(client: Queryable, days: readonly PrunedDay[]): Promise<void> {
  const values = [days.map(({ tenantId }) => tenantId), days.map(({ day }) => day)];
  await client.query(
    `INSERT INTO ami_pruned_days AS pruned (tenant_id, day, has_quarters, has_hours)
     SELECT * FROM unnest($1::text[], $2::date[], $3::boolean[], $4::boolean[]) ORDER BY 1, 2
     ON CONFLICT (tenant_id, day) DO UPDATE SET has_quarters = pruned.has_quarters OR excluded.has_quarters,
       has_hours = pruned.has_hours OR excluded.has_hours`,
    [...values, days.map(({ hasQuarters }) => hasQuarters), days.map(({ hasHours }) => hasHours)],
  );
  // Locked in the order in which writers do it.
  await client.query(
    `WITH shown AS MATERIALIZED (
       SELECT tenant_id, day.day, feeder_id FROM ami_feeder_days day
       WHERE (tenant_id, day.day, feeder_id) IN (
         SELECT tenant_id, pruned.day, min(feeder_id) FROM ami_feeder_days counted
         JOIN unnest($1::text[], $2::date[]) AS pruned (tenant_id, day) USING (tenant_id, day) GROUP BY 1, 2)
       ORDER BY tenant_id, day.day, feeder_id FOR NO KEY UPDATE
     )
     UPDATE ami_feeder_days day SET version = DEFAULT FROM shown
     WHERE (day.tenant_id, day.day, day.feeder_id) = (shown.tenant_id, shown.day, shown.feeder_id)`,
    values,
  );
}

/**
 * Forgets owed intervals from before `cutoff` that nobody publishes any more. Those of a replay under way stay: they are
 * as old as what it replays, and hold the pause before the next try.
 */
export async function deleteOwedBefore(client: Queryable, cutoff: Date): Promise<void> {
  await client.query(
    `DELETE FROM ami_ticks WHERE publish_id IS NULL AND read_at < $1
       AND tenant_id NOT IN (SELECT tenant_id FROM ami_auto WHERE replay_next IS NOT NULL)`,
    [cutoff],
  );
}

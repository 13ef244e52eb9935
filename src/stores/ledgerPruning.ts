import type { Queryable } from '../db.js';

/** A tenant's UTC day, `2026-01-31`, of which something was deleted. */
export interface PrunedDay {
  tenantId: string;
  day: string;
}

/**
 * Deletes the oldest publishes that were accepted more than `days` days ago, at most `limit`, with their batches; none
 * of which a batch is still to be written, and none of a tenant's latest finished interval or a later one: what is
 * expected now, and what an event revises, is read from those.
 *
 * Publishes that others hold are left for another time.
 */
export async function deletePublishesOlderThan(
  client: Queryable,
  days: number,
  limit: number,
): Promise<{ deleted: number; days: PrunedDay[] }> {
  const { rows } = await client.query<PrunedDay & { publishes: number }>(
    `WITH aged AS (
       SELECT publish_id FROM ami_publishes publish
       CROSS JOIN LATERAL (
         SELECT coalesce(
           (SELECT read_at FROM ami_publishes latest
            WHERE latest.tenant_id = publish.tenant_id AND latest.origin <> 'revision'
              AND EXISTS (SELECT FROM ami_publish_batches batch
                          WHERE batch.publish_id = latest.publish_id AND batch.state = 'done')
              AND latest.read_at <> ALL (ami_intervals_being_written(publish.tenant_id))
            ORDER BY latest.read_at DESC LIMIT 1),
           -- Of one for whom nothing was ever written.
           (SELECT max(read_at) FROM ami_publishes latest WHERE latest.tenant_id = publish.tenant_id)) AS from_read_at
       ) kept
       WHERE publish.accepted_at < now() - $1 * interval '1 day' AND publish.read_at < kept.from_read_at
         AND NOT EXISTS (SELECT FROM ami_publish_batches batch
                         WHERE batch.publish_id = publish.publish_id AND batch.state = 'pending')
         -- What a backfill has not counted yet.
         AND NOT EXISTS (SELECT FROM ami_backfill_publishes part WHERE part.publish_id = publish.publish_id)
       ORDER BY publish.accepted_at LIMIT $2
       FOR UPDATE OF publish SKIP LOCKED
     ), deleted AS (
       DELETE FROM ami_publishes publish USING aged WHERE publish.publish_id = aged.publish_id
       RETURNING publish.tenant_id, publish.read_at
     )
     SELECT tenant_id AS "tenantId", ami_utc_day(read_at)::text AS day, count(*)::integer AS publishes
     FROM deleted GROUP BY 1, 2 ORDER BY 1, 2`,
    [days, limit],
  );
  return {
    deleted: rows.reduce((sum, { publishes }) => sum + publishes, 0),
    days: rows.map(({ tenantId, day }) => ({ tenantId, day })),
  };
}

/**
 * Notes that the ledger no longer tells all about these days, and gives each a new version: what was expected of them
 * is now read from the reads, which may show.
 */
export async function markPruned(client: Queryable, days: readonly PrunedDay[]): Promise<void> {
  const values = [days.map(({ tenantId }) => tenantId), days.map(({ day }) => day)];
  await client.query(
    `INSERT INTO ami_pruned_days (tenant_id, day) SELECT * FROM unnest($1::text[], $2::date[])
     ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
    values,
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

/** Forgets intervals that were owed and never published, so long ago that nobody will. */
export async function deleteOwedOlderThan(client: Queryable, days: number): Promise<void> {
  await client.query(
    `DELETE FROM ami_ticks WHERE publish_id IS NULL AND read_at < now() - $1 * interval '1 day'`,
    [days],
  );
}

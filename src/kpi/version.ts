import type { Queryable } from '../db/db.js';

/**
 * A text that differs whenever reads, rollups, or what has been published and written of a tenant do. Of hashes of
 * numbers that are never given twice, not of times: of two transactions the one that began first may commit last.
 * The latest interval and day are in it for reads that were stamped in the future, whose time comes.
 */
export async function kpiVersion(database: Queryable, tenantId: string): Promise<string> {
  const { rows } = await database.query<{ version: string }>({
    name: 'kpi-version',
    text: `SELECT concat_ws('/',
             (SELECT concat_ws(':', count(*), sum(hashint8extended(version, 0)))
              FROM ami_feeder_days WHERE tenant_id = $1),
             (SELECT concat_ws(':', count(*), sum(hashtextextended(publish_id::text, batch_number)))
              FROM ami_publish_batches WHERE state = 'pending' AND tenant_id = $1),
             (SELECT sum(uuid_hash_extended(publish_id, 0)) FROM (
                SELECT publish_id FROM ami_publishes WHERE tenant_id = $1 ORDER BY accepted_at DESC LIMIT 100) latest),
             (SELECT read_at FROM ami_feeder_intervals WHERE tenant_id = $1 AND ami_is_interval(read_at)
              ORDER BY read_at DESC LIMIT 1),
             (SELECT max(day) FROM ami_feeder_days WHERE tenant_id = $1 AND day <= ami_utc_day(now()))
           ) AS version`,
    values: [tenantId],
  });
  return (rows[0] as (typeof rows)[number]).version;
}

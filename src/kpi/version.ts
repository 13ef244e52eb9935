import type { Queryable } from '../db/db.js';

/**
 * A text that changes whenever a tenant's reads, rollups, publishes or written batches change. It is built from hashes of
 * numbers that are never reused, not from timestamps: the transaction that began first may commit last. It also has the
 * latest interval and day, because a read stamped in the future starts to count when its time comes.
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

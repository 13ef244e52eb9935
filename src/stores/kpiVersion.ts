import type { Queryable } from '../db.js';

/**
 * A text that differs whenever reads, rollups or what is still to be written of a tenant do. The sum over all days
 * rather than the latest change: of two transactions the one that began first may commit last.
 */
export async function kpiVersion(database: Queryable, tenantId: string): Promise<string> {
  const { rows } = await database.query<{ version: string }>({
    name: 'kpi-version',
    text: `SELECT concat_ws('/',
             (SELECT concat_ws(':', count(*), sum(extract(epoch FROM changed_at)))
              FROM ami_feeder_days WHERE tenant_id = $1),
             (SELECT count(*) FROM ami_publish_batches WHERE state = 'pending' AND tenant_id = $1),
             (SELECT accepted_at FROM ami_publishes WHERE tenant_id = $1 ORDER BY accepted_at DESC LIMIT 1)) AS version`,
    values: [tenantId],
  });
  return (rows[0] as (typeof rows)[number]).version;
}

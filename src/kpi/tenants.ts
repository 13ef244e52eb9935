import type { TenantsQuery } from '../contracts/seriesRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';

interface Tenant {
  tenantId: string;
  /** Start of the latest interval with a read, `null` for a tenant whose first is still to come. */
  latestReadAt: Date | null;
  /** Whether its automatic mode runs. */
  automatic: boolean;
}

/** A page of the tenants that have reads or an automatic mode, in byte order; one index probe for each. */
export async function tenantPage(database: Database, { limit, after }: TenantsQuery) {
  const { rows } = await database
    .query<Tenant>({
      name: 'tenants',
      text: `WITH RECURSIVE listed (tenant_id, place) AS (
               SELECT coalesce($1, '') COLLATE "C", 0
               UNION ALL
               SELECT least(
                   (SELECT min(tenant_id) FROM ami_feeder_days WHERE tenant_id > listed.tenant_id),
                   (SELECT min(tenant_id) FROM ami_auto WHERE tenant_id > listed.tenant_id)), place + 1
               FROM listed WHERE place <= $2 AND listed.tenant_id IS NOT NULL
             )
             SELECT tenant_id AS "tenantId",
               (SELECT max(read_at) FROM ami_feeder_intervals cell WHERE cell.tenant_id = listed.tenant_id)
                 AS "latestReadAt",
               EXISTS (SELECT FROM ami_auto WHERE ami_auto.tenant_id = listed.tenant_id AND enabled) AS automatic
             FROM listed WHERE place > 0 AND tenant_id IS NOT NULL ORDER BY place`,
      values: [after ?? null, limit],
    })
    .catch(rethrowUnavailable);
  const tenants = rows.slice(0, limit);
  return { tenants, next: rows.length > limit ? (tenants.at(-1)?.tenantId ?? null) : null };
}

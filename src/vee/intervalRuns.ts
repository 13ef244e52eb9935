import { type Database, type Queryable, withTransaction } from '../db/db.js';
import { OF_AN_INTERVAL } from '../ledger/publishedIntervals.js';
import { dueSpan, type WatchedTenant } from './dueSpan.js';
import { insertRun } from './runs.js';

/** Whether any tenant wants its intervals validated. */
export async function wantsValidation(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ wants: boolean }>(
    'SELECT EXISTS (SELECT FROM ami_vee_tenants WHERE is_on) AS wants',
  );
  return rows[0]?.wants === true;
}

/** Has each interval validated that is complete, or whose reads have had their time to be late; each once. */
export async function startDueRuns(database: Database, now: Date, mayEstimate: boolean): Promise<void> {
  for (const tenant of await watchedTenants(database)) {
    const span = dueSpan(tenant, now);
    if (span === undefined) continue;
    const { tenantId, estimates, validatedTo } = tenant;
    await withTransaction(database, async (client) => {
      const { rowCount } = await client.query(
        `UPDATE ami_vee_tenants SET validated_to = $3, version = nextval('ami_rollup_versions'),
           estimated_to = CASE WHEN $4 THEN $3::timestamptz - grace_intervals * interval '15 minutes' END
         WHERE tenant_id = $1 AND is_on AND validated_to IS NOT DISTINCT FROM $2`,
        [tenantId, validatedTo, span.to, estimates && mayEstimate],
      );
      if (rowCount !== 1) return;
      await insertRun(client, {
        ...{ tenantId, ...span, origin: 'interval', registers: [], requestId: null },
        estimate: estimates && mayEstimate,
      });
    });
  }
}

async function watchedTenants(client: Queryable): Promise<WatchedTenant[]> {
  const { rows } = await client.query<WatchedTenant>(
    `SELECT tenant_id AS "tenantId", estimates, grace_intervals AS "graceIntervals", validated_to AS "validatedTo",
       latest, coalesce(minutes, 15)::integer AS minutes, coalesce(arrived >= expected, true) AS "isComplete"
     FROM ami_vee_tenants tenant
     CROSS JOIN LATERAL (
       SELECT ami_latest_settled_interval(tenant.tenant_id, '-infinity', 'infinity') AS latest) settled
     LEFT JOIN LATERAL (
       SELECT max(publish.interval_minutes) AS minutes FROM ami_publishes publish
       WHERE publish.tenant_id = tenant.tenant_id AND publish.read_at = latest
         AND publish.origin ${OF_AN_INTERVAL}) published ON true
     LEFT JOIN LATERAL (
       SELECT sum(reads) AS arrived FROM ami_feeder_intervals cell
       WHERE cell.tenant_id = tenant.tenant_id AND cell.read_at = latest) arrived ON true
     LEFT JOIN LATERAL (
       SELECT sum(expected_meters) AS expected FROM ami_expected_meters(tenant.tenant_id, ami_utc_day(latest))) expected ON true
     WHERE is_on AND latest IS NOT NULL AND (validated_to IS NULL OR validated_to < latest + interval '1 hour')`,
  );
  return rows;
}

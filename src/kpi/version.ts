import { IS_REPLAYING, type TenantClock } from '../automatic/tenantClock.js';
import type { Queryable } from '../db/db.js';
import { ACTIVE_EVENTS, type ActiveEvent, activeEvents } from '../events/eventTable.js';

/** What an answer follows from. */
export interface KpiVersion {
  /**
   * Changes whenever a tenant's reads, rollups, publishes, written batches or runs of validation change. It is built from hashes of numbers
   * that are never reused, not from timestamps: the transaction that began first may commit last. It also has the latest
   * interval, publish and day, because what is stamped in the future starts to count when its time comes.
   */
  version: string;
  /** The tenant's events under way. */
  events: ActiveEvent[];
}

/**
 * Every poll asks for it, so it is one question: apart, its three parts took two rounds to the server.
 *
 * @param clock is asked only during a replay; else it shows `now`.
 */
export async function kpiVersion(
  database: Queryable,
  tenantId: string,
  now = new Date(),
  clock: TenantClock = async () => now,
): Promise<KpiVersion> {
  const { rows } = await database.query<
    Partial<ActiveEvent> & { version: string; isReplaying: boolean; place: number }
  >({
    name: 'kpi-version',
    text: `SELECT found.*, event.* FROM (SELECT ${IS_REPLAYING} AS "isReplaying", ${VERSION} AS version) found
           LEFT JOIN (SELECT *, row_number() OVER ()::integer AS place FROM (${ACTIVE_EVENTS}) active) event ON true
           ORDER BY place`,
    values: [tenantId, now],
  });
  const { version, isReplaying } = rows[0] as (typeof rows)[number];
  if (isReplaying) return { version, events: await activeEvents(database, tenantId, await clock(tenantId)) };
  const events = rows.flatMap(({ version: _, isReplaying: __, place, ...event }) =>
    place === null ? [] : [event as ActiveEvent],
  );
  return { version, events };
}

const VERSION = `concat_ws('/',
  (SELECT concat_ws(':', count(*), sum(hashint8extended(version, 0)))
   FROM ami_feeder_days WHERE tenant_id = $1),
  (SELECT concat_ws(':', count(*), sum(hashtextextended(publish_id::text, batch_number)))
   FROM ami_publish_batches WHERE state = 'pending' AND tenant_id = $1),
  (SELECT sum(uuid_hash_extended(publish_id, 0)) FROM (
     SELECT publish_id FROM ami_publishes WHERE tenant_id = $1 ORDER BY accepted_at DESC LIMIT 100) latest),
  (SELECT read_at FROM ami_feeder_intervals WHERE tenant_id = $1 AND ami_is_interval(read_at)
   ORDER BY read_at DESC LIMIT 1),
  (SELECT read_at FROM ami_publishes WHERE tenant_id = $1 AND read_at <= now() ORDER BY read_at DESC LIMIT 1),
  (SELECT max(day) FROM ami_feeder_days WHERE tenant_id = $1 AND day <= ami_day_of($1, now())),
  (SELECT concat_ws(' ', time_zone, clock) FROM ami_tenant_zones WHERE tenant_id = $1),
  (SELECT version FROM ami_vee_tenants WHERE tenant_id = $1))`;

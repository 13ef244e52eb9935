import { LRUCache } from 'lru-cache';
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

/** What changes by the clock alone, as an event that begins, may show so much later, ms; what is written shows at once. */
const STANDS_MS = 1_000;
/** Many more tenants than one deployment has. */
export const KEPT_TENANTS = 1_000;

/** A version, and the snapshot of the server in which it was found. */
interface Seen extends KpiVersion {
  snapshot: string | null;
  /** By the service's clock, which tests set. */
  at: number;
  /** By performance.now(). */
  until: number;
}

/** A standby has no snapshot here: its own does not name what is under way on the primary. */
const SNAPSHOT = 'CASE WHEN NOT pg_is_in_recovery() THEN pg_current_snapshot()::text END AS snapshot';

/**
 * Every poll asks for it. The server works it out only where some transaction began or ended since the last answer. Its
 * snapshot tells, which names every transaction under way: while that is the same, nobody has written anything. The
 * snapshot is a question of its own, 0.09 ms: within the other one it took 0.21, since the server prepares all of that
 * before it leaves it out. Worked out anew it is one question, 0.7 ms for a month of days and milliseconds for a year.
 *
 * @param clock is asked only during a replay; else it shows `now`.
 */
export function createKpiVersions(
  database: Queryable,
  now: () => Date = () => new Date(),
  clock: TenantClock = async () => now(),
): (tenantId: string) => Promise<KpiVersion> {
  const lastSeen = new LRUCache<string, Seen>({ max: KEPT_TENANTS });

  return async (tenantId) => {
    const at = now();
    const last = lastSeen.get(tenantId);
    const stands =
      last !== undefined && performance.now() < last.until && Math.abs(at.getTime() - last.at) < STANDS_MS;
    if (stands && last.snapshot !== null && (await snapshotNow(database)) === last.snapshot) return last;
    const { rows } = await database.query<FoundRow>({
      name: 'kpi-version',
      text: TEXT,
      values: [tenantId, at],
    });
    const { snapshot, version, isReplaying } = rows[0] as FoundRow;
    // A replay's clock may run through hours in a second.
    if (isReplaying)
      return { version, events: await activeEvents(database, tenantId, await clock(tenantId)) };
    const events = rows.flatMap(({ snapshot: _, version: __, isReplaying: ___, place, ...event }) =>
      place === null ? [] : [event as ActiveEvent],
    );
    const seen = { version, events, snapshot, at: at.getTime(), until: performance.now() + STANDS_MS };
    lastSeen.set(tenantId, seen);
    return seen;
  };
}

async function snapshotNow(database: Queryable): Promise<string | null | undefined> {
  const { rows } = await database.query<{ snapshot: string | null }>({
    name: 'kpi-snapshot',
    text: `SELECT ${SNAPSHOT}`,
  });
  return rows[0]?.snapshot;
}

/** One row, and one more for each further event. */
type FoundRow = Partial<ActiveEvent> & {
  snapshot: string | null;
  version: string;
  isReplaying: boolean;
  place: number | null;
};

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

const TEXT = `SELECT ${SNAPSHOT}, ${VERSION} AS version, ${IS_REPLAYING} AS "isReplaying", event.*
  FROM (SELECT) here
    LEFT JOIN (
      SELECT *, row_number() OVER ()::integer AS place FROM (${ACTIVE_EVENTS}) active
    ) event ON true
  ORDER BY place`;

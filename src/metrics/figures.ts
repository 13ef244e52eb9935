import type { Queryable } from '../db/db.js';

/** The figures of the whole deployment that Postgres knows. Ages are in seconds by the database's clock. */
export interface Figures {
  /** Tenants whose automatic mode runs by the wall clock: a replay follows a clock of its own. */
  automaticTenants: number;
  /** Of these, how many have no publish for the interval under way, two minutes after it began. */
  tenantsWithoutTick: number;
  /** Intervals that automatic modes published in the last hour, in time and afterwards. */
  intervalsInTime: number;
  intervalsLate: number;
  /** Intervals that are taken on and not published yet. */
  intervalsOwed: number;
  replayIntervalsLeft: number;
  backfillIntervalsLeft: number;
  /** Batches and reads that are accepted and not written yet, by lane. */
  pending: { lane: 'live' | 'background'; batches: number; reads: number }[];
  /** By how much the longest overdue live batch is late; 0 where none is. */
  overdueSeconds: number;
  events: { eventType: string; active: number }[];
  /** Days of reads whose archive stands in place of them, and those that could not be archived and wait. */
  archivedDays: number;
  archiveFailures: number;
}

/** A tick's publish is accepted within seconds of the boundary, on a busy deployment too. */
const TICK_GRACE_SECONDS = 120;

/** Asks Postgres once. Each part reads an index of what is open or of the last hour, never the reads. */
export async function findFigures(database: Queryable): Promise<Figures> {
  const { rows } = await database.query<Figures>({
    name: 'metric-figures',
    text: `WITH running AS (
        SELECT tenant_id, started_at,
          date_bin(interval_minutes * interval '1 minute', now(), timestamptz '2000-01-01 00:00Z') AS read_at
        FROM ami_auto WHERE enabled AND replay_from IS NULL
      ), recent AS (
        SELECT count(*) FILTER (WHERE origin = 'tick')::integer AS in_time,
          count(*) FILTER (WHERE origin = 'catch-up' AND replay_from IS NULL)::integer AS late
        FROM ami_publishes JOIN ami_auto USING (tenant_id)
        WHERE accepted_at > now() - interval '1 hour' AND origin IN ('tick', 'catch-up')
      )
      SELECT (SELECT count(*) FROM running)::integer AS "automaticTenants",
        (SELECT count(*) FROM running WHERE now() - read_at > $1 * interval '1 s' AND started_at < read_at
           AND NOT EXISTS (SELECT FROM ami_ticks tick WHERE tick.tenant_id = running.tenant_id
             AND tick.read_at = running.read_at AND publish_id IS NOT NULL))::integer AS "tenantsWithoutTick",
        recent.in_time AS "intervalsInTime", recent.late AS "intervalsLate",
        (SELECT count(*) FROM ami_ticks WHERE publish_id IS NULL)::integer AS "intervalsOwed",
        (SELECT coalesce(sum(greatest(0, extract(epoch FROM now() - replay_next) / (60 * interval_minutes))), 0)
         FROM ami_auto WHERE enabled AND replay_next IS NOT NULL)::double precision AS "replayIntervalsLeft",
        (SELECT coalesce(sum(greatest(0, 1 + extract(epoch FROM cursor_at - from_at) / (60 * interval_minutes))), 0)
         FROM ami_backfills WHERE finished_at IS NULL AND state = 'active' AND is_open)::double precision
          AS "backfillIntervalsLeft",
        (SELECT json_agg(json_build_object('lane', lane, 'batches', batches, 'reads', reads)) FROM (
           SELECT lane, count(batch.publish_id) AS batches, coalesce(sum(batch.meters), 0) AS reads
           FROM (VALUES ('live', false), ('background', true)) AS lanes (lane, is_background)
           LEFT JOIN ami_publish_batches batch
             ON batch.is_background = lanes.is_background AND batch.state = 'pending'
           GROUP BY lane) AS by_lane) AS pending,
        (SELECT coalesce(greatest(0, extract(epoch FROM now() - min(due_at))), 0)::double precision
         FROM ami_publish_batches WHERE state = 'pending' AND NOT is_background) AS "overdueSeconds",
        (SELECT json_agg(json_build_object('eventType', event_type, 'active', active)) FROM (
           SELECT type.event_type, count(event.id) AS active
           FROM unnest(ARRAY['theft', 'comms-outage', 'voltage-sag']) AS type (event_type)
           LEFT JOIN ami_events event ON event.event_type = type.event_type AND event.is_active
             AND event.end_at > now() AND event.start_at <= now()
           GROUP BY 1) AS by_type) AS events,
        (SELECT count(*) FROM ami_archive_days WHERE dropped_at IS NOT NULL)::integer AS "archivedDays",
        (SELECT count(*) FROM ami_archive_days WHERE failure IS NOT NULL)::integer AS "archiveFailures"
      FROM recent`,
    values: [TICK_GRACE_SECONDS],
  });
  return rows[0] as Figures;
}

/** How fresh a tenant's data is. */
export interface TenantAge {
  tenantId: string;
  automatic: boolean;
  /** Since the start of its latest interval that has a read. */
  readAgeSeconds: number;
  /** Since a read last changed its sums, however old that read's interval is. */
  rollupAgeSeconds: number;
}

/** More would be as many lines in each scrape; the others are counted. */
export const SHOWN_TENANTS = 50;
/** Each costs three index probes. */
const LOOKED_AT_TENANTS = 1_000;

/**
 * Tenants that have reads: how many, and the ages of at most 50, those whose automatic mode runs and the oldest first.
 * From the 1,001st on they are not looked at.
 */
export async function findTenantAges(database: Queryable): Promise<{ tenants: number; shown: TenantAge[] }> {
  const { rows } = await database.query<TenantAge & { tenants: number }>({
    name: 'metric-tenants',
    text: `WITH RECURSIVE listed (tenant_id, place) AS (
        SELECT (SELECT min(tenant_id) FROM ami_feeder_days), 1
        UNION ALL
        SELECT (SELECT min(tenant_id) FROM ami_feeder_days WHERE tenant_id > listed.tenant_id), place + 1
        FROM listed WHERE place < $2 AND listed.tenant_id IS NOT NULL
      )
      SELECT tenant_id AS "tenantId", EXISTS (
          SELECT FROM ami_auto WHERE ami_auto.tenant_id = listed.tenant_id AND enabled AND replay_from IS NULL
        ) AS automatic,
        extract(epoch FROM now() - latest.read_at)::double precision AS "readAgeSeconds",
        extract(epoch FROM now() - changed.at)::double precision AS "rollupAgeSeconds",
        count(*) OVER ()::integer AS tenants
      FROM listed
      CROSS JOIN LATERAL (SELECT max(read_at) AS read_at FROM ami_feeder_intervals cell
        WHERE cell.tenant_id = listed.tenant_id AND cell.read_at <= now()) AS latest
      CROSS JOIN LATERAL (SELECT max(changed_at) AS at FROM ami_feeder_days feeder
        WHERE feeder.tenant_id = listed.tenant_id AND feeder.day >= (latest.read_at AT TIME ZONE 'UTC')::date) AS changed
      WHERE latest.read_at IS NOT NULL
      ORDER BY automatic DESC, latest.read_at, tenant_id LIMIT $1`,
    values: [SHOWN_TENANTS, LOOKED_AT_TENANTS],
  });
  return {
    tenants: rows[0]?.tenants ?? 0,
    shown: rows.map(({ tenants: _, ...age }) => age),
  };
}

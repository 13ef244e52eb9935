import type { IntervalMinutes } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import { GOVERNING_FIRST, OF_AN_INTERVAL } from '../ledger/publishedIntervals.js';
import { type PublishedRoster, publishedSpans } from '../registry/snapshots.js';

/** Which of a tenant's intervals there are, by its reads and by what was published. */
export interface LatestIntervals {
  /** The latest interval with a read or a written batch; null for a tenant without any. */
  latest: Date | null;
  /** The latest interval whose batches have all been written. */
  settled: Date | null;
  /** The latest day of the tenant's zone up to today with a read, `2026-01-31`. */
  latestDay: string | null;
  /** The latest read of all, even off the quarter hour or in the future. */
  latestReadAt: Date | null;
  /** The zone by whose days the tenant is counted. */
  timeZone: string;
}

/**
 * An interval without any read, after an outage, exists all the same: the ledger has its batches as done. A read off the
 * quarter hour, or stamped in the future, makes no interval.
 */
export async function latestIntervals(database: Queryable, tenantId: string): Promise<LatestIntervals> {
  const { rows } = await database.query<LatestIntervals>({
    name: 'latest-intervals',
    text: `WITH being_written AS MATERIALIZED (SELECT ami_intervals_being_written($1) AS read_ats)
           SELECT greatest(
               (SELECT read_at FROM ami_feeder_intervals WHERE tenant_id = $1 AND ami_is_interval(read_at)
                ORDER BY read_at DESC LIMIT 1),
               (SELECT read_at FROM ami_publishes publish
                WHERE tenant_id = $1 AND origin ${OF_AN_INTERVAL} AND read_at <= now() AND EXISTS (
                  SELECT FROM ami_publish_batches batch
                  WHERE batch.publish_id = publish.publish_id AND batch.state = 'done')
                ORDER BY read_at DESC LIMIT 1)) AS latest,
             greatest(
               ami_latest_settled_interval($1, '-infinity', 'infinity'),
               (SELECT read_at FROM ami_publishes publish
                WHERE tenant_id = $1 AND origin ${OF_AN_INTERVAL} AND read_at <= now() AND EXISTS (
                  SELECT FROM ami_publish_batches batch
                  WHERE batch.publish_id = publish.publish_id AND batch.state = 'done')
                  AND read_at <> ALL ((SELECT read_ats FROM being_written)::timestamptz[])
                ORDER BY read_at DESC LIMIT 1)) AS settled,
             (SELECT day::text FROM ami_feeder_days kpi
              WHERE tenant_id = $1 AND day <= ami_day_of($1, now()) ORDER BY kpi.day DESC LIMIT 1) AS "latestDay",
             (SELECT max(read_at) FROM ami_feeder_intervals WHERE tenant_id = $1) AS "latestReadAt",
             coalesce((SELECT time_zone FROM ami_tenant_zones WHERE tenant_id = $1), 'UTC') AS "timeZone"`,
    values: [tenantId],
  });
  return rows[0] as LatestIntervals;
}

/** One feeder in one interval. */
export interface FeederInterval {
  feederId: string;
  /** The most of its meters that any one interval had in the week up to this day. */
  expectedMeters: number;
  reportingMeters: number;
  /** Those among them whose read is an estimate. */
  estimatedMeters: number;
  /** kWh; the first counts only reads that carry a delivered energy. */
  registeredKwh: number;
  deliveredKwh: number;
  /** What its customers fed in, kWh; null where no read has such a channel. */
  receivedKwh: number | null;
  /** Percent of the energy delivered; null where none was. */
  lossPct: number | null;
  /** Volts. */
  minVoltage: number | null;
  /** Meters below ANSI C84.1 range A in this interval. */
  lowVoltageMeters: number;
}

/** The feeders of one interval, those expected but silent among them. */
export async function feedersAt(
  database: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<FeederInterval[]> {
  const { rows } = await database.query<FeederInterval>({
    name: 'feeders-at',
    text: `SELECT feeder_id AS "feederId", coalesce(expected_meters, reads, 0)::double precision AS "expectedMeters",
             coalesce(reads, 0)::double precision AS "reportingMeters",
             coalesce(estimated.reads_estimated, 0)::double precision AS "estimatedMeters",
             coalesce(kwh - unmetered_kwh, 0)::double precision AS "registeredKwh",
             coalesce(delivered_kwh, 0)::double precision AS "deliveredKwh",
             received_kwh::double precision AS "receivedKwh",
             ami_percent(delivered_kwh - (kwh - unmetered_kwh), delivered_kwh)::double precision AS "lossPct",
             min_voltage::double precision AS "minVoltage",
             coalesce(low_voltage_reads, 0)::double precision AS "lowVoltageMeters"
           FROM (SELECT * FROM ami_feeder_intervals WHERE tenant_id = $1 AND read_at = $2) cell
           FULL JOIN ami_expected_meters_at($1, $2) expected USING (feeder_id)
           LEFT JOIN (SELECT feeder_id, reads AS reads_estimated FROM ami_feeder_estimates
             WHERE tenant_id = $1 AND read_at = $2) estimated USING (feeder_id)`,
    values: [tenantId, readAt],
  });
  return rows;
}

/**
 * The fleet that an interval was published for. If it was published for the synthetic fleet and for a registry, this is
 * the feeders of both; a feeder that both have counts the larger number of meters.
 */
export interface PublishedFleet {
  meterCount: number;
  intervalMinutes: IntervalMinutes;
  /** Meters, by feeder. */
  feeders: ReadonlyMap<string, number>;
}

export async function publishedFleetAt(
  database: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<PublishedFleet | undefined> {
  const { rows } = await database.query<PublishedRoster & { intervalMinutes: IntervalMinutes }>({
    name: 'published-fleet-at',
    text: `SELECT DISTINCT ON (fleet_id IS NULL) meter_count AS "meterCount", feeder_count AS "feederCount",
             fleet_id AS "snapshotId", interval_minutes AS "intervalMinutes"
           FROM ami_publishes WHERE tenant_id = $1 AND read_at = $2 AND origin ${OF_AN_INTERVAL}
           ORDER BY fleet_id IS NULL, ${GOVERNING_FIRST}`,
    values: [tenantId, readAt],
  });
  const [largest] = rows.toSorted((a, b) => b.meterCount - a.meterCount);
  if (!largest) return undefined;
  const feeders = new Map<string, number>();
  for (const row of rows) {
    for (const { feederId, from, to } of await publishedSpans(database, row))
      feeders.set(feederId, Math.max(feeders.get(feederId) ?? 0, to - from));
  }
  const meterCount = [...feeders.values()].reduce((sum, meters) => sum + meters, 0);
  return { meterCount, intervalMinutes: largest.intervalMinutes, feeders };
}

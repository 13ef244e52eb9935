import type { Network } from '../contracts/emulation.js';
import type { PublishOrigin } from '../contracts/publishAnswer.js';
import type { Queryable } from '../db/db.js';
import { BATCH_RANGE_SQL } from '../ledger/batchRange.js';
import type { PublishedRoster } from '../registry/snapshots.js';

/** A batch that wrote reads, with what its reads were made from. */
export interface WrittenBatch {
  readAt: Date;
  /** The day of the tenant's zone that it is of, `2026-01-31`. */
  day: string;
  intervalMinutes: 15 | 60;
  seed: string;
  /** Whose local days the thefts' forms go by. */
  timeZone: string;
  fleet: PublishedRoster;
  /** Positions `[from, to)` of the fleet's roster. */
  from: number;
  to: number;
  overwrites: boolean;
  /**
   * About when its events were read: at its start, or for a revision at its end, since it waits for others in between. Of a
   * late delivery when its reads were left out.
   */
  generatedAt: Date;
  /** Of a late delivery: outages that were over by then held nothing back any more; else null. */
  lateAsOf: Date | null;
  /** What its network loses, or brings later: reads that never came with it were not stolen from. */
  network: Network;
  origin: PublishOrigin;
}

/**
 * True while the ledger is whole for a day of the tenant `$1`: no publish of the UTC days that it lies in has been deleted.
 *
 * @param day an SQL expression of a date.
 */
const isWhole = (day: string): string =>
  `NOT EXISTS (SELECT FROM ami_pruned_days pruned WHERE pruned.tenant_id = $1
     AND pruned.day BETWEEN ami_utc_day(ami_day_start($1, ${day}))
       AND ami_utc_day(ami_day_start($1, ${day} + 1) - interval '1 ms'))`;

/**
 * The batches that wrote reads on the days `[from, to)` while one of the tenant's thefts lasted, on days for which the ledger is
 * whole, in the order of their writing.
 */
export async function batchesDuringThefts(
  database: Queryable,
  tenantId: string,
  from: string,
  to: string,
): Promise<WrittenBatch[]> {
  const { rows } = await database.query<WrittenBatch & PublishedRoster>(
    `SELECT publish.read_at AS "readAt", ami_day_of($1, publish.read_at)::text AS day, interval_minutes AS "intervalMinutes", seed, time_zone AS "timeZone", meter_count AS "meterCount",
       feeder_count AS "feederCount", fleet_id AS "snapshotId", ${BATCH_RANGE_SQL.from} AS "from", ${BATCH_RANGE_SQL.to} AS "to",
       on_conflict = 'update' AS overwrites,
       publish.late_as_of AS "lateAsOf", publish.network, publish.origin,
       coalesce(publish.known_at, CASE WHEN on_conflict = 'update' THEN finished_at ELSE started_at END) AS "generatedAt"
     FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id)
     WHERE publish.tenant_id = $1 AND publish.read_at >= ami_day_start($1, $2::date)
       AND publish.read_at < ami_day_start($1, $3::date)
       AND batch.state = 'done' AND inserted + updated > 0 AND ${isWhole('ami_day_of($1, publish.read_at)')}
       AND EXISTS (
         SELECT FROM ami_events event
         WHERE event.tenant_id = $1 AND event.event_type = 'theft' AND event.start_at < event.end_at
           AND event.end_at > publish.read_at
           AND event.start_at < publish.read_at + interval_minutes * interval '1 min')
     ORDER BY finished_at, publish_id, batch_number`,
    [tenantId, from, to],
  );
  return rows.map(({ meterCount, feederCount, snapshotId, ...batch }) => ({
    ...batch,
    fleet: { meterCount, feederCount, snapshotId },
  }));
}

/** A meter's day of the tenant's zone, as one text: `2026-01-31 DEMO-MTR-00042`. */
export type MeterDay = string;

/**
 * The meter-days in `[from, to)` that the reads alone make suspicious, on days for which the ledger is whole. They are
 * taken from the table behind our view, so they are the same when a customer's own view stands in its place.
 */
export async function suspiciousMeterDaySet(
  database: Queryable,
  tenantId: string,
  from: string,
  to: string,
): Promise<Set<MeterDay>> {
  const { rows } = await database.query<{ key: MeterDay }>(
    `SELECT day || ' ' || meter_id AS key FROM ami_meter_anomalies
     WHERE underregistered_reads > 0 AND tenant_id = $1 AND day >= $2::date AND day < $3::date
       AND ${isWhole('ami_meter_anomalies.day')}`,
    [tenantId, from, to],
  );
  return new Set(rows.map(({ key }) => key));
}

/**
 * Of these meter-days those on which a theft took nothing, since nothing was delivered while it lasted: under a roof that feeds in
 * at noon, or in a home that stands empty.
 *
 * @param robbed the reads of each that were made under a theft.
 */
export async function meterDaysOfNoTaking(
  database: Queryable,
  tenantId: string,
  robbed: ReadonlyMap<MeterDay, readonly Date[]>,
): Promise<MeterDay[]> {
  const reads = [...robbed].flatMap(([key, instants]) => instants.map((readAt) => ({ key, readAt })));
  const { rows } = await database.query<{ key: MeterDay }>(
    `SELECT key FROM unnest($2::text[], $3::timestamptz[]) AS robbed (key, read_at)
     GROUP BY key HAVING NOT bool_or(EXISTS (
       SELECT FROM ami_read_at($1, substr(key, 12), robbed.read_at) read WHERE read.delivered_kwh IS DISTINCT FROM 0))`,
    [tenantId, reads.map(({ key }) => key), reads.map(({ readAt }) => readAt)],
  );
  return rows.map(({ key }) => key);
}

export interface MeasuredDays {
  /** The first day with reads for which the ledger is whole, and the day after the last one; null without any. */
  from: string | null;
  to: string | null;
  meterDays: number;
  /** Days with reads for which the ledger is not whole any more. */
  leftOut: number;
}

/** The days on which a tenant has reads, and how many meter-days they are. */
export async function measuredDays(database: Queryable, tenantId: string): Promise<MeasuredDays> {
  const { rows } = await database.query<MeasuredDays>(
    `SELECT min(day) FILTER (WHERE whole)::text AS "from", (max(day) FILTER (WHERE whole) + 1)::text AS "to",
       coalesce(sum(meters) FILTER (WHERE whole), 0)::double precision AS "meterDays",
       (count(*) FILTER (WHERE NOT whole))::integer AS "leftOut"
     FROM (
       SELECT counted.day, sum(max_interval_reads) AS meters, ${isWhole('counted.day')} AS whole
       FROM ami_feeder_days counted WHERE tenant_id = $1 GROUP BY counted.day
     ) days`,
    [tenantId],
  );
  return rows[0] as MeasuredDays;
}

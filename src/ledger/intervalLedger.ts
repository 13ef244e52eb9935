import type { IntervalMinutes } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import { BATCH_RANGE_SQL } from './batchRange.js';
import { GOVERNING_FIRST, OF_AN_INTERVAL } from './publishedIntervals.js';
import { PUBLISH_COLUMNS, type PublishRecord } from './publishLedger.js';

/** One batch of a publish as the ledger has it. */
export interface LedgerBatch {
  batch: number;
  state: 'pending' | 'done' | 'failed' | 'cancelled';
  /** Reads that were there when the batch was done, written by it or before it. */
  arrived: number;
}

/** A publish of an interval with its batches, in their order. */
export interface LedgerPublish extends PublishRecord {
  acceptedAt: Date;
  /** Meters of its snapshot of the registry; null for the synthetic fleet. */
  snapshotMeters: number | null;
  batches: LedgerBatch[];
}

/** The publishes of an interval, without revisions and imports; first the one that the reads come from. */
export async function ledgerOfInterval(
  client: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<LedgerPublish[]> {
  const { rows } = await client.query<LedgerPublish>({
    name: 'ledger-of-interval',
    text: `SELECT ${PUBLISH_COLUMNS}, publish.accepted_at AS "acceptedAt", batches.list AS batches,
             (SELECT fleet.meter_count FROM ami_fleets fleet WHERE fleet.fleet_id = publish.fleet_id) AS "snapshotMeters"
           FROM ami_publishes publish,
             LATERAL (
               SELECT coalesce(json_agg(json_build_object('batch', batch_number, 'state', state, 'arrived',
                   coalesce(inserted + updated + duplicate, 0)) ORDER BY batch_number), '[]') AS list
               FROM ami_publish_batches batch WHERE batch.publish_id = publish.publish_id
             ) batches
           WHERE publish.tenant_id = $1 AND publish.read_at = $2 AND origin ${OF_AN_INTERVAL}
           ORDER BY ${GOVERNING_FIRST}`,
    values: [tenantId, readAt],
  });
  return rows;
}

/** What a late delivery has brought: positions `[from, to)` of a roster, and how many reads were new. */
export interface LateArrival {
  snapshotId: string | null;
  meterCount: number;
  feederCount: number;
  from: number;
  to: number;
  inserted: number;
  acceptedAt: Date;
}

/** The reads of an interval that came late. */
export async function lateArrivals(
  client: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<LateArrival[]> {
  const { rows } = await client.query<LateArrival>({
    name: 'late-arrivals',
    text: `SELECT publish.fleet_id AS "snapshotId", publish.meter_count AS "meterCount",
             publish.feeder_count AS "feederCount", ${BATCH_RANGE_SQL.from} AS "from", ${BATCH_RANGE_SQL.to} AS "to",
             batch.inserted, publish.accepted_at AS "acceptedAt"
           FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id)
           WHERE publish.tenant_id = $1 AND publish.read_at = $2 AND publish.origin = 'late' AND batch.inserted > 0`,
    values: [tenantId, readAt],
  });
  return rows;
}

/**
 * A publish for another instant, in intervals of another length, that lies within an interval or over it; undefined
 * when there is none.
 */
export async function overlappingPublish(
  client: Queryable,
  tenantId: string,
  readAt: Date,
  intervalMinutes: IntervalMinutes,
): Promise<string | undefined> {
  const { rows } = await client.query<{ publishId: string }>({
    name: 'overlapping-publish',
    text: `SELECT publish_id AS "publishId" FROM ami_publishes publish
           WHERE tenant_id = $1 AND read_at > $2::timestamptz - interval '1 h'
             AND read_at < $2::timestamptz + $3 * interval '1 min'
             AND read_at <> $2 AND interval_minutes <> $3 AND origin ${OF_AN_INTERVAL}
             AND read_at + interval_minutes * interval '1 min' > $2
             AND EXISTS (SELECT FROM ami_publish_batches batch
                         WHERE batch.publish_id = publish.publish_id AND state IN ('pending', 'done')) LIMIT 1`,
    values: [tenantId, readAt, intervalMinutes],
  });
  return rows[0]?.publishId;
}

/**
 * Whether publishes of that day, in intervals of another length, have been pruned from the ledger. Nothing tells any
 * more where they were, so any interval of the day may lie in one or over one.
 */
export async function isPrunedOtherwise(
  client: Queryable,
  tenantId: string,
  readAt: Date,
  intervalMinutes: IntervalMinutes,
): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'pruned-otherwise',
    text: `SELECT FROM ami_pruned_days WHERE tenant_id = $1 AND day = ami_utc_day($2)
             AND CASE WHEN $3 = 60 THEN has_quarters ELSE has_hours END`,
    values: [tenantId, readAt, intervalMinutes],
  });
  return rowCount === 1;
}

/** How many reads of an interval there are, however they came. */
export async function readsOfInterval(client: Queryable, tenantId: string, readAt: Date): Promise<number> {
  const { rows } = await client.query<{ reads: number }>({
    name: 'reads-of-interval',
    text: `SELECT coalesce(sum(reads), 0)::double precision AS reads FROM ami_feeder_intervals
           WHERE tenant_id = $1 AND read_at = $2`,
    values: [tenantId, readAt],
  });
  return rows[0]?.reads ?? 0;
}

/** How many of these meters have a read of the interval, with one index probe per meter. */
export async function readsOfMeters(
  client: Queryable,
  tenantId: string,
  readAt: Date,
  meterIds: readonly string[],
): Promise<number> {
  const { rows } = await client.query<{ reads: number }>({
    name: 'reads-of-meters',
    text: `SELECT count(*)::integer AS reads FROM unnest($3::text[]) AS wanted (meter_id)
           WHERE (SELECT true FROM ami_read_at($1, wanted.meter_id, $2) LIMIT 1)`,
    values: [tenantId, readAt, meterIds],
  });
  return rows[0]?.reads ?? 0;
}

/**
 * How often an interval was published automatically, and how long ago its last publish was accepted, by the database's
 * clock.
 */
export async function latestAcceptance(
  client: Queryable,
  tenantId: string,
  readAt: Date,
): Promise<{ publishes: number; secondsAgo: number }> {
  const { rows } = await client.query<{ publishes: number; secondsAgo: number }>(
    `SELECT count(*) FILTER (WHERE origin <> 'manual')::integer AS publishes,
       coalesce(extract(epoch FROM clock_timestamp() - max(accepted_at)), 'Infinity')::double precision AS "secondsAgo"
     FROM ami_publishes WHERE tenant_id = $1 AND read_at = $2 AND origin ${OF_AN_INTERVAL}`,
    [tenantId, readAt],
  );
  return rows[0] as (typeof rows)[number];
}

/** Whether anything in the hour that begins at `hour` has been published in intervals of another length. */
export async function isPublishedOtherwise(
  client: Queryable,
  tenantId: string,
  hour: Date,
  intervalMinutes: IntervalMinutes,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM ami_publishes WHERE tenant_id = $1 AND read_at >= $2 AND read_at < $2::timestamptz + interval '1 h'
       AND interval_minutes <> $3 AND origin ${OF_AN_INTERVAL} LIMIT 1`,
    [tenantId, hour, intervalMinutes],
  );
  return rowCount === 1;
}

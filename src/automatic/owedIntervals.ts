import type { IntervalMinutes } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import { OF_AN_INTERVAL } from '../ledger/publishedIntervals.js';

/** The aligned intervals of a tenant from `first` to `running`, both included. */
export interface TenantWindow {
  tenantId: string;
  intervalMinutes: IntervalMinutes;
  /** An interval once found owed stays owed until it is older than this. */
  earliest: Date;
  first: Date;
  /** The interval under way. */
  running: Date;
  /** Meters that each interval should have; null for a registry, which decides that itself. */
  meterCount: number | null;
}

/** An interval that the automatic mode has not published yet. */
export interface WaitingInterval {
  tenantId: string;
  readAt: Date;
  /** Whether it has been noted that it is owed. */
  isNoted: boolean;
  /** When a tick came for it; null when none has. */
  claimedAt: Date | null;
  attempts: number;
  /** The earliest instant of the next try; null for at once. */
  nextTryAt: Date | null;
  failure: string | null;
  /** When the tenant last had a publish accepted; null for none. */
  lastServedAt: Date | null;
}

/**
 * Intervals of these windows without a publish, and older ones that have been found owed. Each claim is looked up by
 * its key: a join became a scan over all claims of a month.
 */
export async function waitingIntervals(
  client: Queryable,
  windows: readonly TenantWindow[],
): Promise<WaitingInterval[]> {
  if (windows.length === 0) return [];
  const { rows } = await client.query<WaitingInterval>({
    name: 'waiting-intervals',
    text: `WITH wanted AS MATERIALIZED (
             SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::timestamptz[])
               AS wanted (tenant_id, first, running, minutes, earliest)
           ), candidate AS (
             SELECT tenant_id, boundary AS read_at FROM wanted, generate_series(first, running, minutes * interval '1 min') boundary
             UNION ALL
             SELECT tenant_id, owed.read_at FROM wanted, LATERAL (
               SELECT read_at FROM ami_ticks tick
               WHERE tick.tenant_id = wanted.tenant_id AND tick.publish_id IS NULL
                 AND tick.read_at >= earliest AND tick.read_at < first OFFSET 0) owed
           )
           SELECT tenant_id AS "tenantId", candidate.read_at AS "readAt", tick.read_at IS NOT NULL AS "isNoted",
             tick.claimed_at AS "claimedAt", coalesce(tick.attempts, 0) AS attempts,
             tick.next_try_at AS "nextTryAt", tick.failure,
             (SELECT accepted_at FROM ami_publishes publish WHERE publish.tenant_id = candidate.tenant_id
              ORDER BY accepted_at DESC LIMIT 1) AS "lastServedAt"
           FROM candidate LEFT JOIN LATERAL (
             SELECT * FROM ami_ticks WHERE tenant_id = candidate.tenant_id AND read_at = candidate.read_at OFFSET 0) tick
             USING (tenant_id)
           WHERE tick.publish_id IS NULL`,
    values: [...windowColumns(windows), windows.map(({ earliest }) => earliest)],
  });
  return rows;
}

/**
 * Intervals of these windows that were published and may not be whole: a batch failed or was cancelled, fewer reads
 * exist than were written, or the fleet has grown since. Each is a hint, for `missingParts` to look into.
 */
export async function doubtfulIntervals(
  client: Queryable,
  windows: readonly TenantWindow[],
): Promise<{ tenantId: string; readAt: Date; publishId: string }[]> {
  if (windows.length === 0) return [];
  const { rows } = await client.query<{ tenantId: string; readAt: Date; publishId: string }>({
    name: 'doubtful-intervals',
    text: `SELECT wanted.tenant_id AS "tenantId", boundary AS "readAt", tick.publish_id AS "publishId"
           FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::integer[], $5::integer[])
               AS wanted (tenant_id, first, running, minutes, meters)
             CROSS JOIN LATERAL generate_series(first, running, minutes * interval '1 min') AS boundary
             CROSS JOIN LATERAL (
               SELECT publish_id FROM ami_ticks
               WHERE tenant_id = wanted.tenant_id AND read_at = boundary AND publish_id IS NOT NULL OFFSET 0) tick
             CROSS JOIN LATERAL (
               SELECT bool_or(batches.is_broken) AS is_broken, bool_or(batches.is_pending) AS is_pending,
                      max(batches.arrived) AS arrived, max(publish.meter_count) AS meters
               FROM ami_publishes publish, LATERAL (
                 SELECT bool_or(state IN ('failed', 'cancelled')) AS is_broken,
                        bool_or(state = 'pending') AS is_pending, sum(inserted + updated + duplicate) AS arrived
                 FROM ami_publish_batches batch WHERE batch.publish_id = publish.publish_id) batches
               WHERE publish.tenant_id = wanted.tenant_id AND publish.read_at = boundary AND publish.origin ${OF_AN_INTERVAL}
             ) ledger
           WHERE ledger.is_broken OR ledger.meters < wanted.meters OR NOT ledger.is_pending AND ledger.arrived + coalesce((
             SELECT sum(inserted) FROM ami_publishes late JOIN ami_publish_batches USING (publish_id)
             WHERE late.tenant_id = wanted.tenant_id AND late.read_at = boundary AND late.origin = 'late'), 0) > (
             SELECT coalesce(sum(reads), 0) FROM ami_feeder_intervals cell
             WHERE cell.tenant_id = wanted.tenant_id AND cell.read_at = boundary)
           ORDER BY boundary DESC`,
    values: [...windowColumns(windows), windows.map(({ meterCount }) => meterCount)],
  });
  return rows;
}

function windowColumns(windows: readonly TenantWindow[]): unknown[] {
  return [
    windows.map(({ tenantId }) => tenantId),
    windows.map(({ first }) => first),
    windows.map(({ running }) => running),
    windows.map(({ intervalMinutes }) => intervalMinutes),
  ];
}

/**
 * Intervals from `from` on and before the window that no publish has written and that nobody owes any more. A quarter
 * hour in an hour that was published as one interval is not missed.
 */
export async function missedIntervals(
  client: Queryable,
  { tenantId, intervalMinutes, earliest, first }: TenantWindow,
  from: Date,
): Promise<{ intervals: number; first: Date | null; last: Date | null }> {
  const { rows } = await client.query<{ intervals: number; first: Date | null; last: Date | null }>(
    `SELECT count(*)::integer AS intervals, min(boundary) AS first, max(boundary) AS last
     FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 s', $4 * interval '1 min') AS boundary
     WHERE NOT EXISTS (SELECT FROM ami_ticks
                       WHERE tenant_id = $1 AND read_at = boundary AND publish_id IS NULL AND read_at >= $5)
       AND NOT EXISTS (
         SELECT FROM ami_publishes publish
         WHERE tenant_id = $1 AND read_at <= boundary AND read_at > boundary - interval '1 h' AND origin ${OF_AN_INTERVAL}
           AND read_at + interval_minutes * interval '1 min' > boundary
           AND EXISTS (SELECT FROM ami_publish_batches batch
                       WHERE batch.publish_id = publish.publish_id AND state IN ('pending', 'done')))`,
    [tenantId, from, first, intervalMinutes, earliest],
  );
  return rows[0] as (typeof rows)[number];
}

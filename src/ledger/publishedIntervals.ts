import { MAX_FEEDER_COUNT } from '../contracts/limits.js';
import type { Queryable } from '../db/db.js';
import { feederNumber } from '../emulator/fleet/syntheticFleet.js';
import { BATCH_RANGE_SQL } from './batchRange.js';
import { PUBLISH_COLUMNS, type PublishRecord } from './publishLedger.js';

/**
 * What SQL says behind a publish's `origin`, of those that are an interval of a fleet: a revision changes one that is there, an
 * import is none, and a late delivery completes one.
 */
export const OF_AN_INTERVAL = `NOT IN ('revision', 'import', 'late')`;

/**
 * The order of an interval's publishes in which the first is the one that the reads come from: the one with the most
 * meters; among equal ones the last that asked to overwrite; else the first, since later ones left its reads as they
 * were. `ami_feeder_completeness` (sql/schema/completeness.sql) has the same order.
 */
export const GOVERNING_FIRST = `meter_count DESC, on_conflict = 'update' DESC,
  CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at`;

/** Whether a batch of a publish stands at any of the positions `[feeder."from", feeder."to")` of its fleet's roster. */
const IS_OF_FEEDER = `${BATCH_RANGE_SQL.from} < feeder."to" AND ${BATCH_RANGE_SQL.to} > feeder."from"`;

/**
 * The publish that produced the tenant's latest interval; undefined when there is none. If several cover the interval:
 * first one with a pending or done batch on the feeder, since a publish of a part may lack the feeder and a publish of
 * the whole may have failed there; else one whose fleet has the feeder; ties by GOVERNING_FIRST.
 *
 * @param span limits the interval to those that overlap `[from, to)`.
 * @param notBefore excludes older intervals, whose reads are not kept.
 */
export async function publishOfLatestInterval(
  client: Queryable,
  tenantId: string,
  feederId: string,
  span?: { from: Date; to: Date },
  notBefore?: Date,
): Promise<PublishRecord | undefined> {
  const number = feederNumber(feederId, { meterCount: MAX_FEEDER_COUNT, feederCount: MAX_FEEDER_COUNT });
  const touching = `tenant_id = $1 AND origin ${OF_AN_INTERVAL} AND read_at < coalesce($3, 'infinity'::timestamptz)
       AND read_at > coalesce($2::timestamptz - interval '1 h', '-infinity')
       AND read_at >= coalesce($4::timestamptz, '-infinity')
       AND read_at + interval_minutes * interval '1 min' > coalesce($2::timestamptz, '-infinity')`;
  const { rows } = await client.query<PublishRecord>(
    `SELECT ${PUBLISH_COLUMNS} FROM ami_publishes publish
     -- The same as feederRange() has for the synthetic fleet.
     LEFT JOIN LATERAL (
       SELECT range_from AS "from", least(range_to, publish.meter_count) AS "to" FROM ami_fleet_feeders
       WHERE fleet_id = publish.fleet_id AND feeder_id = $5 AND range_from < publish.meter_count
       UNION ALL
       SELECT before * small + least(before, larger), (before + 1) * small + least(before + 1, larger)
       FROM (SELECT $6::integer - 1 AS before, publish.meter_count / nullif(publish.feeder_count, 0) AS small,
                    publish.meter_count % nullif(publish.feeder_count, 0) AS larger) layout
       WHERE publish.fleet_id IS NULL AND before < least(publish.feeder_count, publish.meter_count)
     ) feeder ON true
     WHERE ${touching}
       AND read_at = (SELECT read_at FROM ami_publishes WHERE ${touching} ORDER BY read_at DESC LIMIT 1)
     ORDER BY
       EXISTS (SELECT FROM ami_publish_batches batch
               WHERE batch.publish_id = publish.publish_id AND batch.state IN ('pending', 'done') AND ${IS_OF_FEEDER}) DESC,
       feeder."from" IS NOT NULL DESC,
       ${GOVERNING_FIRST}
     LIMIT 1`,
    [tenantId, span?.from ?? null, span?.to ?? null, notBefore ?? null, feederId, number ?? null],
  );
  return rows[0];
}

/**
 * Whether any read of a publish's interval has been written at the positions `[from, to)` of its fleet's roster. Other
 * publishes of the same roster count too, since each may cover a part of it.
 */
export async function hasWritten(
  client: Queryable,
  { tenantId, readAt, snapshotId, meterCount, feederCount }: PublishRecord,
  from: number,
  to: number,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id),
       (SELECT $6::integer AS "from", $7::integer AS "to") feeder
     WHERE publish.tenant_id = $1 AND publish.read_at = $2 AND publish.fleet_id IS NOT DISTINCT FROM $3
       -- A snapshot's meters keep their positions however many of them are published.
       AND (publish.fleet_id IS NOT NULL OR (publish.meter_count = $4 AND publish.feeder_count = $5))
       AND batch.state = 'done' AND duplicate + inserted + updated > 0 AND ${IS_OF_FEEDER}
     LIMIT 1`,
    [tenantId, readAt, snapshotId, meterCount, feederCount, from, to],
  );
  return rowCount === 1;
}

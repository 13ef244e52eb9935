import { MAX_FEEDER_COUNT } from '../contracts/limits.js';
import type { Queryable } from '../db.js';
import { feederNumber } from '../emulator/fleet.js';
import { PUBLISH_COLUMNS, type PublishRecord } from './publishLedger.js';

/**
 * Of several publishes of one interval first the one that its reads come from: the one with the most meters, and of
 * equal ones the last that asked to overwrite, else the first, which later ones left as it was. `ami_feeder_completeness`
 * (sql/phase4_registry_fleets.sql) has the same.
 */
export const GOVERNING_FIRST = `meter_count DESC, on_conflict = 'update' DESC,
  CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at`;

/**
 * The publish that made a tenant's latest interval, among those that touch `[from, to)` where that is given; undefined
 * when there is none. Where several published the same interval it is the one that the reads of `feederId` come from:
 * one that has the feeder, if any has.
 *
 * @param notBefore older intervals do not count: their reads are not kept.
 */
export async function publishOfLatestInterval(
  client: Queryable,
  tenantId: string,
  feederId: string,
  span?: { from: Date; to: Date },
  notBefore?: Date,
): Promise<PublishRecord | undefined> {
  const number = feederNumber(feederId, { meterCount: MAX_FEEDER_COUNT, feederCount: MAX_FEEDER_COUNT });
  const { rows } = await client.query<PublishRecord>(
    `SELECT ${PUBLISH_COLUMNS} FROM ami_publishes publish
     WHERE tenant_id = $1 AND origin <> 'revision' AND read_at < coalesce($3, 'infinity'::timestamptz)
       AND read_at > coalesce($2::timestamptz - interval '1 h', '-infinity')
       AND read_at >= coalesce($4::timestamptz, '-infinity')
       AND read_at + interval_minutes * interval '1 min' > coalesce($2::timestamptz, '-infinity')
     ORDER BY read_at DESC,
       CASE WHEN fleet_id IS NULL THEN coalesce($6::integer <= least(feeder_count, meter_count), false)
         ELSE EXISTS (
           SELECT FROM ami_fleet_feeders feeder
           WHERE feeder.fleet_id = publish.fleet_id AND feeder.feeder_id = $5 AND feeder.range_from < meter_count)
         END DESC,
       ${GOVERNING_FIRST}
     LIMIT 1`,
    [tenantId, span?.from ?? null, span?.to ?? null, notBefore ?? null, feederId, number ?? null],
  );
  return rows[0];
}

/** Whether a publish has written any read at the positions `[from, to)` of its fleet's line. */
export async function hasWritten(
  client: Queryable,
  publish: PublishRecord,
  from: number,
  to: number,
): Promise<boolean> {
  const batchOf = (position: number): number =>
    Math.floor((position - publish.rangeFrom) / publish.batchSize);
  const { rowCount } = await client.query(
    `SELECT FROM ami_publish_batches
     WHERE publish_id = $1 AND batch_number BETWEEN $2 AND $3 AND state = 'done' AND duplicate + inserted + updated > 0
     LIMIT 1`,
    [publish.publishId, batchOf(from), batchOf(to - 1)],
  );
  return rowCount === 1;
}

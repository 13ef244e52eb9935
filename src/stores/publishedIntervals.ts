import type { Queryable } from '../db.js';
import { PUBLISH_COLUMNS, type PublishRecord } from './publishLedger.js';

/**
 * The publish that made a tenant's latest interval, among those that touch `[from, to)` where that is given; undefined
 * when there is none. Where several published the same interval it is the one that its reads come from: the one with
 * the most meters, and of equal ones the last that asked to overwrite, else the first, which later ones left as it was.
 *
 * @param notBefore older intervals do not count: their reads are not kept.
 */
export async function publishOfLatestInterval(
  client: Queryable,
  tenantId: string,
  span?: { from: Date; to: Date },
  notBefore?: Date,
): Promise<PublishRecord | undefined> {
  const { rows } = await client.query<PublishRecord>(
    `SELECT ${PUBLISH_COLUMNS} FROM ami_publishes publish
     WHERE tenant_id = $1 AND origin <> 'revision' AND read_at < coalesce($3, 'infinity'::timestamptz)
       AND read_at > coalesce($2::timestamptz - interval '1 h', '-infinity')
       AND read_at >= coalesce($4::timestamptz, '-infinity')
       AND read_at + interval_minutes * interval '1 min' > coalesce($2::timestamptz, '-infinity')
     ORDER BY read_at DESC, meter_count DESC, on_conflict = 'update' DESC,
       CASE WHEN on_conflict = 'update' THEN accepted_at END DESC, accepted_at
     LIMIT 1`,
    [tenantId, span?.from ?? null, span?.to ?? null, notBefore ?? null],
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

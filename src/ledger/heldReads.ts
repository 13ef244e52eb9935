import type { Queryable } from '../db/db.js';
import { PUBLISH_COLUMNS, type PublishRecord } from './publishLedger.js';

/** Reads of neighbouring positions of one feeder that outages have held back, as a batch leaves them out. */
export interface NewHold {
  feederId: string;
  /** Positions `[from, to)` of the roster that the delivery covers. */
  from: number;
  to: number;
  /** Whose reads are held back; none in a hold that only delivers again. */
  meterIds: readonly string[];
  eventIds: readonly string[];
  /** Place in the order of delivery, from 0 to 1. */
  place: number;
  /** When they come, of reads that are late without an outage; `eventIds` is empty then. */
  dueAt?: Date;
}

interface HoldingBatch {
  publishId: string;
  batch: number;
  tenantId: string;
  readAt: Date;
  /** When the batch's reads were made. */
  knownAt: Date;
}

/**
 * Notes what a batch has left out, in the transaction that writes it. What is there already, and no estimate, is not held
 * back; nor is what another batch of the same roster holds already, nor what a second delivery finds held again.
 */
export async function noteHolds(
  client: Queryable,
  { publishId, batch, tenantId, readAt, knownAt }: HoldingBatch,
  holds: readonly NewHold[],
): Promise<void> {
  await client.query({
    name: 'note-holds',
    text: `INSERT INTO ami_held_reads (publish_id, batch_number, tenant_id, feeder_id, read_at, range_from, range_to, reads,
             event_ids, known_at, place, due_at)
           SELECT $1::uuid, $2::smallint, $3::text, hold."feederId", $4::timestamptz, hold."from", hold."to", missing.reads, hold."eventIds", $5::timestamptz, hold.place, hold."dueAt"
           FROM jsonb_to_recordset($6::jsonb) AS hold ("feederId" text, "from" integer, "to" integer, "meterIds" text[],
               "eventIds" uuid[], place double precision, "dueAt" timestamptz),
             ami_publishes own,
             LATERAL (
               SELECT count(*) AS reads FROM unnest(hold."meterIds") AS held (meter_id)
               WHERE NOT EXISTS (
                 SELECT FROM ami_standing_reads($3::text, held.meter_id, $4::timestamptz, $4::timestamptz + interval '1 microsecond') standing
                 WHERE standing.quality IS DISTINCT FROM 'estimated')
             ) missing
           WHERE own.publish_id = $1 AND (missing.reads > 0 OR cardinality(hold."meterIds") = 0)
             AND NOT EXISTS (SELECT FROM ami_held_reads again WHERE again.hold_id = own.hold_id AND again.reads = 0)
             AND NOT EXISTS (
               SELECT FROM ami_held_reads other JOIN ami_publishes publish USING (publish_id)
               WHERE other.tenant_id = $3 AND other.state = 'held' AND other.read_at = $4
                 AND other.feeder_id = hold."feederId" AND other.range_from <= hold."from" AND other.range_to >= hold."to"
                 AND other.event_ids @> hold."eventIds" AND other.due_at IS NOT DISTINCT FROM hold."dueAt" AND (other.reads > 0) = (cardinality(hold."meterIds") > 0)
                 AND publish.fleet_id IS NOT DISTINCT FROM own.fleet_id AND publish.meter_count = own.meter_count
                 AND publish.feeder_count = own.feeder_count)`,
    values: [publishId, batch, tenantId, readAt, knownAt, JSON.stringify(holds)],
  });
}

/** A tenant's outages that hold reads back together; none of reads that are late without one. */
export interface HoldingEvents {
  tenantId: string;
  eventIds: string[];
}

/** Every set of outages that holds reads back, found by steps along the index: behind each may be 100,000 rows. */
export async function holdingEvents(client: Queryable): Promise<HoldingEvents[]> {
  const { rows } = await client.query<HoldingEvents>(
    `WITH RECURSIVE sets AS (
       (SELECT tenant_id, event_ids FROM ami_held_reads WHERE state = 'held' ORDER BY tenant_id, event_ids LIMIT 1)
       UNION ALL
       SELECT next.tenant_id, next.event_ids FROM sets, LATERAL (
         SELECT tenant_id, event_ids FROM ami_held_reads
         WHERE state = 'held' AND (tenant_id, event_ids) > (sets.tenant_id, sets.event_ids)
         ORDER BY tenant_id, event_ids LIMIT 1) next
     )
     SELECT tenant_id AS "tenantId", event_ids AS "eventIds" FROM sets`,
  );
  return rows;
}

/** Reads that may be delivered now, with the publish of which they were left out. */
export interface DueHold {
  holdId: string;
  tenantId: string;
  feederId: string;
  readAt: Date;
  from: number;
  to: number;
  knownAt: Date;
  place: number;
  attempts: number;
  publish: PublishRecord;
}

/**
 * The next of what these outages have held back, in the order of their places.
 *
 * @param sets of the tenant, each with at least one outage that is over.
 * @param asOf by the tenant's clock: what is late without an outage is due by then.
 * @param now by the clock that tries are put off by.
 */
export async function nextHolds(
  client: Queryable,
  tenantId: string,
  { sets, asOf }: { sets: readonly (readonly string[])[]; asOf: Date },
  now: Date,
  limit: number,
): Promise<DueHold[]> {
  const { rows } = await client.query<PublishRecord & Omit<DueHold, 'publish'> & { heldId: string }>(
    `SELECT held.hold_id AS "heldId", held.feeder_id AS "feederId", held.range_from AS "from", held.range_to AS "to",
       held.known_at AS "heldAt", held.place, held.attempts, publish.*
     FROM (SELECT array(SELECT jsonb_array_elements_text(one))::uuid[] AS event_ids FROM jsonb_array_elements($2) AS one) due
       CROSS JOIN LATERAL (
         SELECT * FROM ami_held_reads waiting
         WHERE waiting.tenant_id = $1 AND waiting.state = 'held' AND waiting.event_ids = due.event_ids
           AND (waiting.next_try_at IS NULL OR waiting.next_try_at <= $3)
           AND (waiting.due_at IS NULL OR waiting.due_at <= $5)
         ORDER BY waiting.place LIMIT $4
       ) held
       CROSS JOIN LATERAL (
         SELECT ${PUBLISH_COLUMNS} FROM ami_publishes publish WHERE publish.publish_id = held.publish_id) publish
     ORDER BY held.place, held.hold_id LIMIT $4`,
    [tenantId, JSON.stringify(sets), now, limit, asOf],
  );
  return rows.map((row) => {
    const { heldId, feederId, from, to, place, attempts, ...rest } = row;
    const { heldAt, ...publish } = rest as typeof rest & { heldAt: Date };
    const { readAt } = publish;
    return {
      holdId: heldId,
      tenantId,
      feederId,
      readAt,
      from,
      to,
      knownAt: heldAt,
      place,
      attempts,
      publish,
    };
  });
}

/**
 * When the reads of a hold were last made anew, or left out: events known by then are in the reads around them. A revision
 * that came since has left them out too.
 */
export async function lastMadeAt(
  client: Queryable,
  { tenantId, readAt, from, to, knownAt }: DueHold,
): Promise<Date> {
  const { rows } = await client.query<{ at: Date | null }>(
    `SELECT max(batch.finished_at) AS at FROM ami_publishes publish JOIN ami_publish_batches batch USING (publish_id)
     WHERE publish.tenant_id = $1 AND publish.read_at = $2 AND publish.on_conflict = 'update' AND batch.state = 'done'
       AND publish.range_from < $4 AND publish.range_to > $3`,
    [tenantId, readAt, from, to],
  );
  const at = rows[0]?.at;
  return at && at > knownAt ? at : knownAt;
}

/** What became of the reads that an outage holds or has held back. */
export interface LateReads {
  heldBack: number;
  /** Their delivery is accepted and not written. */
  onTheWay: number;
  /** Of those that another outage has held back longer, it delivers them. */
  delivered: number;
  lost: number;
}

export async function lateReads(client: Queryable, eventId: string): Promise<LateReads> {
  const { rows } = await client.query<LateReads>(
    `SELECT coalesce(sum(held.reads) FILTER (WHERE held.state = 'held'), 0)::integer AS "heldBack",
       coalesce(sum(held.reads) FILTER (WHERE held.state = 'sent'), 0)::integer AS "onTheWay",
       coalesce(sum(written.reads) FILTER (WHERE held.state = 'delivered'), 0)::integer AS delivered,
       coalesce(sum(held.reads) FILTER (WHERE held.state = 'lost'), 0)::integer AS lost
     FROM ami_held_reads held LEFT JOIN LATERAL (
       SELECT sum(inserted + updated) AS reads FROM ami_publish_batches batch
       WHERE batch.publish_id = held.delivered_by AND batch.state = 'done') written ON true
     WHERE held.event_ids @> ARRAY[$1::uuid]`,
    [eventId],
  );
  return rows[0] as LateReads;
}

/** Deliveries of a tenant that are accepted and not settled. */
export async function sentHolds(client: Queryable, tenantId: string): Promise<number> {
  const { rows } = await client.query<{ sent: number }>(
    `SELECT count(*)::integer AS sent FROM ami_held_reads WHERE tenant_id = $1 AND state = 'sent'`,
    [tenantId],
  );
  return rows[0]?.sent ?? 0;
}

/**
 * Notes that a delivery is being accepted, in the transaction that accepts it.
 *
 * @returns false, with nothing changed, when somebody else has sent it meanwhile.
 */
export async function noteSent(client: Queryable, holdId: string, publishId: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE ami_held_reads SET state = 'sent', delivered_by = $2, next_try_at = NULL
     WHERE hold_id = $1 AND state = 'held'`,
    [holdId, publishId],
  );
  return rowCount === 1;
}

/** Notes why reads cannot be delivered, and when to try again; null gives them up as lost. */
export async function noteHoldTrouble(
  client: Queryable,
  holdId: string,
  failure: string,
  nextTryAt: Date | null,
): Promise<void> {
  await client.query(
    `UPDATE ami_held_reads SET attempts = attempts + 1, next_try_at = $3, failure = $2,
       state = CASE WHEN $3::timestamptz IS NULL THEN 'lost' ELSE 'held' END
     WHERE hold_id = $1 AND state = 'held'`,
    [holdId, failure.slice(0, 500), nextTryAt],
  );
}

/**
 * Settles deliveries whose batches are all over: delivered, or held again where a batch was given up or taken back.
 *
 * @returns the holds that are held again.
 */
export async function settleSent(
  client: Queryable,
): Promise<{ holdId: string; attempts: number; failure: string }[]> {
  const { rows } = await client.query<{
    holdId: string;
    attempts: number;
    failure: string;
    isWhole: boolean;
  }>(
    `WITH over AS (
       SELECT held.hold_id, coalesce(bool_and(batch.state = 'done'), false) AS is_whole,
         coalesce(min(batch.failure), 'the delivery was taken back') AS failure
       FROM ami_held_reads held LEFT JOIN ami_publish_batches batch ON batch.publish_id = held.delivered_by
       WHERE held.state = 'sent'
       GROUP BY held.hold_id HAVING count(*) FILTER (WHERE batch.state = 'pending') = 0
     )
     UPDATE ami_held_reads held SET state = CASE WHEN is_whole THEN 'delivered' ELSE 'held' END,
       failure = CASE WHEN is_whole THEN NULL ELSE over.failure END
     FROM over WHERE held.hold_id = over.hold_id AND held.state = 'sent'
     RETURNING held.hold_id AS "holdId", held.attempts, over.failure, over.is_whole AS "isWhole"`,
  );
  return rows.filter(({ isWhole }) => !isWhole);
}

/** Gives up reads of before `cutoff`, which are not kept any more: they would be dropped as soon as they are written. */
export async function loseHoldsBefore(client: Queryable, cutoff: Date, reason: string): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE ami_held_reads SET state = 'lost', failure = $2 WHERE state = 'held' AND read_at < $1`,
    [cutoff, reason],
  );
  return rowCount ?? 0;
}

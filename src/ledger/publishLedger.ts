/**
 * Room: ledger. Promises: what was accepted, what each batch wrote and what is still owed stands in Postgres, and
 * cannot disagree with the reads.
 */

import type { Lane } from '../contracts/batchJob.js';
import type { Emulation } from '../contracts/emulation.js';
import type { IntervalMinutes } from '../contracts/limits.js';
import type { Climate } from '../contracts/place.js';
import type { PublishOrigin } from '../contracts/publishAnswer.js';
import type { Queryable } from '../db/db.js';
import { emulationColumn, emulationValues } from './emulationColumns.js';

export interface PublishRecord {
  publishId: string;
  tenantId: string;
  origin: PublishOrigin;
  lane: Lane;
  readAt: Date;
  intervalMinutes: IntervalMinutes;
  seed: string;
  /** Size of the fleet. It decides which meter stands where on the roster, not how many meters are published. */
  meterCount: number;
  feederCount: number;
  /** The snapshot of the registry whose first `meterCount` meters are the fleet; null for the synthetic fleet. */
  snapshotId: string | null;
  /**
   * The positions `[rangeFrom, rangeTo)` of the roster that are published: all of them, unless a part is revised or
   * missing.
   */
  rangeFrom: number;
  rangeTo: number;
  timeZone: string;
  climate: Climate;
  /** Model 1 with nothing behind the meters where nothing is said. */
  emulation?: Emulation;
  batchSize: number;
  batchCount: number;
  onConflict: 'nothing' | 'update';
  requestId: string | null;
  /** The file that the reads come from, and which of its batches is the first here; null where they are emulated. */
  importId?: number | null;
  importBatch?: number | null;
  /** Of a late delivery: the row of `ami_held_reads` that it delivers, a bigint as text; null of other publishes. */
  holdId?: string | null;
  /** Of a late delivery: its instant, by the tenant's clock. Outages that are over by then hold nothing back any more. */
  lateAsOf?: Date | null;
  /** Of a late delivery: when its reads would have been made without the outage. Events posted later are not in them. */
  knownAt?: Date | null;
}

/** One batch as it is accepted; `dueInMs` counts from the database's now. */
export interface BatchRecord {
  publishId: string;
  number: number;
  tenantId: string;
  meters: number;
  dueInMs: number;
}

/** Accepted batches that are still owed: waiting, delayed, active, or lost and about to be found. */
export interface Outstanding {
  live: number;
  background: number;
  /** Reads of the background batches. */
  backgroundReads: number;
}

export async function countOutstanding(client: Queryable): Promise<Outstanding> {
  const { rows } = await client.query<Outstanding>(
    `SELECT count(*) FILTER (WHERE NOT is_background)::integer AS live,
            count(*) FILTER (WHERE is_background)::integer AS background,
            coalesce(sum(meters) FILTER (WHERE is_background), 0)::integer AS "backgroundReads"
     FROM ami_publish_batches WHERE state = 'pending'`,
  );
  return rows[0] as Outstanding;
}

/** Records accepted publishes with their batches, in two statements however many there are. */
export async function recordPublishes(
  client: Queryable,
  publishes: readonly PublishRecord[],
  batches: readonly BatchRecord[],
): Promise<void> {
  const background = new Set(
    publishes.filter(({ lane }) => lane === 'background').map(({ publishId }) => publishId),
  );
  const emulations = publishes.map(({ emulation }) => emulationValues(emulation));
  await client.query(
    `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
       feeder_count, batch_size, batch_count, on_conflict, request_id, range_from, range_to, time_zone, climate,
       fleet_id, is_background, import_id, import_batch, hold_id, late_as_of, known_at,
       model, place, der, network, customers)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::text[],
       $7::integer[], $8::integer[], $9::integer[], $10::integer[], $11::text[], $12::text[], $13::integer[],
       $14::integer[], $15::text[], $16::text[], $17::bigint[], $18::boolean[],
       $19::integer[], $20::integer[], $21::bigint[], $22::timestamptz[], $23::timestamptz[],
       $24::smallint[], $25::text[], $26::jsonb[], $27::jsonb[], $28::jsonb[])`,
    [
      publishes.map((publish) => publish.publishId),
      publishes.map((publish) => publish.tenantId),
      publishes.map((publish) => publish.origin),
      publishes.map((publish) => publish.readAt),
      publishes.map((publish) => publish.intervalMinutes),
      publishes.map((publish) => publish.seed),
      publishes.map((publish) => publish.meterCount),
      publishes.map((publish) => publish.feederCount),
      publishes.map((publish) => publish.batchSize),
      publishes.map((publish) => publish.batchCount),
      publishes.map((publish) => publish.onConflict),
      publishes.map((publish) => publish.requestId),
      publishes.map((publish) => publish.rangeFrom),
      publishes.map((publish) => publish.rangeTo),
      publishes.map((publish) => publish.timeZone),
      publishes.map((publish) => publish.climate),
      publishes.map((publish) => publish.snapshotId),
      publishes.map((publish) => background.has(publish.publishId)),
      publishes.map((publish) => publish.importId ?? null),
      publishes.map((publish) => publish.importBatch ?? null),
      publishes.map((publish) => publish.holdId ?? null),
      publishes.map((publish) => publish.lateAsOf ?? null),
      publishes.map((publish) => publish.knownAt ?? null),
      emulations.map(([model]) => model),
      emulations.map(([, place]) => place),
      emulations.map(([, , der]) => der),
      emulations.map(([, , , network]) => network),
      emulations.map(([, , , , customers]) => customers),
    ],
  );
  await client.query(
    `INSERT INTO ami_publish_batches (publish_id, batch_number, tenant_id, meters, due_at, is_background)
     SELECT publish_id, batch_number, tenant_id, meters, clock_timestamp() + due_in_ms * interval '1 ms', is_background
     FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::smallint[], $5::double precision[], $6::boolean[])
       AS batch (publish_id, batch_number, tenant_id, meters, due_in_ms, is_background)`,
    [
      batches.map((batch) => batch.publishId),
      batches.map((batch) => batch.number),
      batches.map((batch) => batch.tenantId),
      batches.map((batch) => batch.meters),
      batches.map((batch) => batch.dueInMs),
      batches.map((batch) => background.has(batch.publishId)),
    ],
  );
}

/** Gives one batch up, with the reason. A batch that is not pending any more stays as it is. */
export async function failBatch(
  client: Queryable,
  publishId: string,
  batch: number,
  reason: string,
): Promise<void> {
  await client.query(
    `UPDATE ami_publish_batches SET state = 'failed', finished_at = clock_timestamp(), failure = $3
     WHERE publish_id = $1 AND batch_number = $2 AND state = 'pending'`,
    [publishId, batch, reason.slice(0, 500)],
  );
}

/** Whether a batch is still to be written: neither done nor given up nor cancelled. */
export async function isOwed(client: Queryable, publishId: string, batch: number): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'is-owed',
    text: `SELECT FROM ami_publish_batches WHERE publish_id = $1 AND batch_number = $2 AND state = 'pending'`,
    values: [publishId, batch],
  });
  return rowCount === 1;
}

/** Whether the ledger has a batch at all, in whatever state. */
export async function isRecorded(client: Queryable, publishId: string, batch: number): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'is-recorded',
    text: 'SELECT FROM ami_publish_batches WHERE publish_id = $1 AND batch_number = $2',
    values: [publishId, batch],
  });
  return rowCount === 1;
}

/** A pending batch with all that its job is made from. */
export interface OverdueBatch extends PublishRecord {
  batch: number;
}

/** Batches of a lane still owed `overdueSeconds` after they were due, oldest first. */
export async function overdueBatches(
  client: Queryable,
  lane: Lane,
  overdueSeconds: number,
  limit: number,
): Promise<OverdueBatch[]> {
  const { rows } = await client.query<OverdueBatch>(
    `SELECT batch.batch_number AS batch, ${PUBLISH_COLUMNS}
     FROM ami_publish_batches batch JOIN ami_publishes publish USING (publish_id)
     WHERE batch.state = 'pending' AND batch.due_at < clock_timestamp() - $1 * interval '1 s'
       AND batch.is_background = $2
     ORDER BY batch.due_at LIMIT $3`,
    [overdueSeconds, lane === 'background', limit],
  );
  return rows;
}

/** All of a PublishRecord, from `ami_publishes publish`. */
export const PUBLISH_COLUMNS = `publish.publish_id AS "publishId", publish.tenant_id AS "tenantId", publish.origin,
  publish.read_at AS "readAt", publish.interval_minutes AS "intervalMinutes", publish.seed,
  publish.meter_count AS "meterCount", publish.feeder_count AS "feederCount", publish.batch_size AS "batchSize",
  publish.batch_count AS "batchCount", publish.on_conflict AS "onConflict", publish.request_id AS "requestId",
  publish.range_from AS "rangeFrom", publish.range_to AS "rangeTo", publish.time_zone AS "timeZone",
  publish.climate, publish.fleet_id AS "snapshotId", publish.import_id AS "importId",
  publish.import_batch AS "importBatch", publish.hold_id AS "holdId", publish.late_as_of AS "lateAsOf",
  publish.known_at AS "knownAt", ${emulationColumn('publish')},
  CASE WHEN publish.is_background THEN 'background' ELSE 'live' END AS lane`;

export interface PublishProgress extends PublishRecord {
  acceptedAt: Date;
  batchesDone: number;
  batchesFailed: number;
  batchesCancelled: number;
  batchesPending: number;
  inserted: number;
  updated: number;
  duplicate: number;
  skipped: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  failure: string | null;
}

/** How far a publish is, or undefined when the ledger does not know it. */
export async function publishProgress(
  client: Queryable,
  publishId: string,
): Promise<PublishProgress | undefined> {
  const { rows } = await client.query<PublishProgress>(
    `SELECT ${PUBLISH_COLUMNS}, publish.accepted_at AS "acceptedAt", batches.*
     FROM ami_publishes publish,
       LATERAL (
         SELECT count(*) FILTER (WHERE state = 'done')::integer AS "batchesDone",
           count(*) FILTER (WHERE state = 'failed')::integer AS "batchesFailed",
           count(*) FILTER (WHERE state = 'cancelled')::integer AS "batchesCancelled",
           count(*) FILTER (WHERE state = 'pending')::integer AS "batchesPending",
           coalesce(sum(inserted), 0)::integer AS inserted, coalesce(sum(updated), 0)::integer AS updated,
           coalesce(sum(duplicate), 0)::integer AS duplicate, coalesce(sum(skipped), 0)::integer AS skipped,
           min(started_at) AS "startedAt", max(finished_at) AS "finishedAt", min(failure) AS failure
         FROM ami_publish_batches batch WHERE batch.publish_id = publish.publish_id
       ) batches
     WHERE publish.publish_id = $1`,
    [publishId],
  );
  return rows[0];
}

/** Completed batches are counted no further: a deployment at its limit writes more than a hundred thousand per hour. */
const MOST_COMPLETED = 5_000;

/** A tenant's batches that were written in the last hour, up to 5,000: the queue keeps no completed job. */
export async function completedInLastHour(client: Queryable, tenantId: string): Promise<number> {
  const { rows } = await client.query<{ completed: number }>(
    `SELECT count(*)::integer AS completed FROM (
       SELECT FROM ami_publish_batches
       WHERE tenant_id = $1 AND finished_at > clock_timestamp() - interval '1 hour' AND state = 'done'
       LIMIT $2
     ) recent`,
    [tenantId, MOST_COMPLETED],
  );
  return rows[0]?.completed ?? 0;
}

/** What happened to a tenant's batches in the last `windowSeconds`. */
export interface RecentJobs {
  completed: number;
  failed: number;
  rows: number;
  meanMs: number | null;
  p95Ms: number | null;
}

export async function recentJobs(
  client: Queryable,
  tenantId: string,
  windowSeconds: number,
): Promise<RecentJobs> {
  const { rows } = await client.query<RecentJobs>(
    `SELECT count(*) FILTER (WHERE state = 'done')::integer AS completed,
            count(*) FILTER (WHERE state = 'failed')::integer AS failed,
            coalesce(sum(inserted + updated), 0)::double precision AS rows,
            round(avg(elapsed_ms) FILTER (WHERE state = 'done'))::double precision AS "meanMs",
            round((percentile_cont(0.95) WITHIN GROUP (ORDER BY elapsed_ms) FILTER (WHERE state = 'done'))::numeric)::double precision AS "p95Ms"
     FROM (
       SELECT *, extract(epoch FROM finished_at - started_at) * 1000 AS elapsed_ms
       FROM ami_publish_batches
       WHERE tenant_id = $1 AND finished_at > clock_timestamp() - $2 * interval '1 s'
     ) recent`,
    [tenantId, windowSeconds],
  );
  return rows[0] as RecentJobs;
}

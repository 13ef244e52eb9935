import type { Queryable } from '../db/db.js';
import { FEEDER_EVENT_TYPES, type FeederEvent } from '../emulator/events/feederEvent.js';

/** An event as it is kept. */
export interface EventRecord extends FeederEvent {
  tenantId: string;
  /** When the event was ended early; null when it ran, or runs, to its end. */
  stoppedAt: Date | null;
  createdAt: Date;
}

export type NewEvent = Omit<EventRecord, 'id' | 'stoppedAt' | 'createdAt'>;

/** Numbers as double precision, since pg gives numeric as text. */
const SHOWN_COLUMNS = `id, feeder_id AS "feederId", event_type AS "eventType",
  least(1, greatest(0, severity))::double precision AS severity, start_at AS "startAt", end_at AS "endAt"`;
const COLUMNS_BUT_METERS = `${SHOWN_COLUMNS}, tenant_id AS "tenantId",
  meter_fraction::double precision AS "meterFraction", stopped_at AS "stoppedAt", created_at AS "createdAt",
  CASE WHEN event_type = 'comms-outage' THEN CASE delivery WHEN 'late' THEN 'late' ELSE 'lost' END END AS delivery,
  CASE WHEN event_type = 'theft' THEN coalesce(theft_form, 'constant') END AS form`;
/** With all meter ids: up to 5,000, which pg takes 10 ms to parse. */
const EVENT_COLUMNS = `${COLUMNS_BUT_METERS}, meter_ids AS "meterIds"`;

export async function insertEvent(client: Queryable, event: NewEvent): Promise<EventRecord> {
  const { rows } = await client.query<EventRecord>(
    `INSERT INTO ami_events (tenant_id, feeder_id, event_type, severity, start_at, end_at, meter_ids, meter_fraction,
       delivery, theft_form)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${EVENT_COLUMNS}`,
    [
      event.tenantId,
      event.feederId,
      event.eventType,
      event.severity,
      event.startAt,
      event.endAt,
      event.meterIds,
      event.meterFraction,
      event.delivery ?? null,
      event.form ?? null,
    ],
  );
  return rows[0] as EventRecord;
}

/**
 * The events of these feeders that touch `[from, to)`, by the rule of `overlaps` and whatever `is_active` says. A
 * customer's own table may hold other types, which are left out.
 */
export async function overlappingEvents(
  client: Queryable,
  tenantId: string,
  feederIds: readonly string[],
  from: Date,
  to: Date,
): Promise<EventRecord[]> {
  const { rows } = await client.query<EventRecord>({
    name: 'overlapping-events',
    text: `SELECT ${EVENT_COLUMNS} FROM ami_events
           WHERE tenant_id = $1 AND feeder_id = ANY ($2) AND end_at > $3 AND start_at < $4 AND start_at < end_at
             AND event_type = ANY ($5) AND severity > 0`,
    values: [tenantId, feederIds, from, to, FEEDER_EVENT_TYPES],
  });
  return rows;
}

/** The late outages of these feeders under way at an instant: until they are over their meters deliver nothing. */
export async function lateOutagesUnderWay(
  client: Queryable,
  tenantId: string,
  feederIds: readonly string[],
  at: Date,
): Promise<EventRecord[]> {
  const { rows } = await client.query<EventRecord>(
    `SELECT ${EVENT_COLUMNS} FROM ami_events
     WHERE tenant_id = $1 AND feeder_id = ANY ($2) AND end_at > $3 AND start_at <= $3
       AND event_type = 'comms-outage' AND delivery = 'late' AND severity > 0`,
    [tenantId, feederIds, at],
  );
  return rows;
}

/** Those of these events that are not over at `at`. An event that nobody finds any more is over. */
export async function eventsNotOver(
  client: Queryable,
  ids: readonly string[],
  at: Date,
): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM ami_events WHERE id = ANY ($1) AND end_at > $2 AND start_at < end_at',
    [ids, at],
  );
  return new Set(rows.map(({ id }) => id));
}

/** All thefts and outages of a tenant: the events that decide in which reads a theft can be seen. */
export async function theftsAndOutages(client: Queryable, tenantId: string): Promise<EventRecord[]> {
  const { rows } = await client.query<EventRecord>(
    `SELECT ${EVENT_COLUMNS} FROM ami_events
     WHERE tenant_id = $1 AND event_type IN ('theft', 'comms-outage') AND severity > 0 AND start_at < end_at`,
    [tenantId],
  );
  return rows;
}

/** Meter ids of an event that a list shows: 200 events of 5,000 would come to 20 MB. */
export const METERS_LISTED = 20;

/** An event as a list has it. */
export interface ListedEvent extends EventRecord {
  /** How many meters the event names; `meterIds` has the first `METERS_LISTED` of them. Null when it names none. */
  meterIdCount: number | null;
}

export interface EventPage {
  /** Lists only events that are (true) or are not (false) under way; undefined lists both. */
  active?: boolean | undefined;
  limit?: number;
  /** The event that the page begins after. */
  after?: string | undefined;
}

/** A tenant's events, latest start first. `now` decides what is under way. */
export async function listEvents(
  client: Queryable,
  tenantId: string,
  now: Date,
  { active, limit = 200, after }: EventPage = {},
): Promise<ListedEvent[]> {
  const { rows } = await client.query<ListedEvent>(
    `SELECT ${COLUMNS_BUT_METERS}, meter_ids[1:${METERS_LISTED}] AS "meterIds",
       cardinality(meter_ids) AS "meterIdCount"
     FROM ami_events
     WHERE tenant_id = $1 AND ($3::boolean IS NULL OR (start_at <= $2 AND end_at > $2) = $3)
       AND ($5::uuid IS NULL OR EXISTS (
         SELECT FROM ami_events last WHERE last.id = $5 AND last.tenant_id = $1
           AND ((ami_events.start_at, ami_events.created_at) < (last.start_at, last.created_at)
             OR ((ami_events.start_at, ami_events.created_at) = (last.start_at, last.created_at)
               AND ami_events.id > last.id))))
     ORDER BY start_at DESC, created_at DESC, id LIMIT $4`,
    [tenantId, now, active ?? null, limit, after ?? null],
  );
  return rows;
}

/** An event as dashboards show it. */
export type ActiveEvent = Pick<
  EventRecord,
  'id' | 'feederId' | 'eventType' | 'severity' | 'startAt' | 'endAt'
>;

/** Events under way that are shown: more than a tenant has feeders in trouble. */
const MAX_ACTIVE = 200;

/**
 * The events of tenant `$1` under way at `$2`, latest start first, 200 at most, as `ActiveEvent`. Without their meter
 * ids: every poll asks, and 10 events of 2,500 made one take 113 ms in place of 12.
 */
export const ACTIVE_EVENTS = `SELECT ${SHOWN_COLUMNS} FROM ami_events
  WHERE tenant_id = $1 AND end_at > $2 AND start_at <= $2
  ORDER BY start_at DESC, created_at DESC, id LIMIT ${MAX_ACTIVE}`;

/** A tenant's events under way at `now`. */
export async function activeEvents(client: Queryable, tenantId: string, now: Date): Promise<ActiveEvent[]> {
  const { rows } = await client.query<ActiveEvent>({
    name: 'active-events',
    text: ACTIVE_EVENTS,
    values: [tenantId, now],
  });
  return rows;
}

export async function findEvent(client: Queryable, id: string): Promise<EventRecord | undefined> {
  const { rows } = await client.query<EventRecord>(`SELECT ${EVENT_COLUMNS} FROM ami_events WHERE id = $1`, [
    id,
  ]);
  return rows[0];
}

/** Ends an event at `now`; answers undefined, and changes nothing, when it is over already or not known. */
export async function stopEvent(client: Queryable, id: string, now: Date): Promise<EventRecord | undefined> {
  const { rows } = await client.query<EventRecord>(
    `UPDATE ami_events SET end_at = greatest(start_at, least(end_at, $2)), is_active = false, stopped_at = $2
     WHERE id = $1 AND end_at > $2 AND stopped_at IS NULL RETURNING ${EVENT_COLUMNS}`,
    [id, now],
  );
  return rows[0];
}

/** Marks events that are over at `now` as no longer active; answers how many there were. */
export async function expireEvents(client: Queryable, now: Date): Promise<number> {
  const { rowCount } = await client.query(
    'UPDATE ami_events SET is_active = false WHERE is_active AND end_at <= $1',
    [now],
  );
  return rowCount ?? 0;
}

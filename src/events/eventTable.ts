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
const EVENT_COLUMNS = `id, tenant_id AS "tenantId", feeder_id AS "feederId", event_type AS "eventType",
  least(1, greatest(0, severity))::double precision AS severity, start_at AS "startAt", end_at AS "endAt", meter_ids AS "meterIds",
  meter_fraction::double precision AS "meterFraction", stopped_at AS "stoppedAt", created_at AS "createdAt"`;

export async function insertEvent(client: Queryable, event: NewEvent): Promise<EventRecord> {
  const { rows } = await client.query<EventRecord>(
    `INSERT INTO ami_events (tenant_id, feeder_id, event_type, severity, start_at, end_at, meter_ids, meter_fraction)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${EVENT_COLUMNS}`,
    [
      event.tenantId,
      event.feederId,
      event.eventType,
      event.severity,
      event.startAt,
      event.endAt,
      event.meterIds,
      event.meterFraction,
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
): Promise<FeederEvent[]> {
  const { rows } = await client.query<EventRecord>({
    name: 'overlapping-events',
    text: `SELECT ${EVENT_COLUMNS} FROM ami_events
           WHERE tenant_id = $1 AND feeder_id = ANY ($2) AND end_at > $3 AND start_at < $4 AND start_at < end_at
             AND event_type = ANY ($5) AND severity > 0`,
    values: [tenantId, feederIds, from, to, FEEDER_EVENT_TYPES],
  });
  return rows;
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

/**
 * A tenant's events, latest start first, 200 at most.
 *
 * @param active lists only events that are (true) or are not (false) under way at `now`; undefined lists both.
 */
export async function listEvents(
  client: Queryable,
  tenantId: string,
  now: Date,
  active?: boolean,
): Promise<EventRecord[]> {
  const { rows } = await client.query<EventRecord>(
    `SELECT ${EVENT_COLUMNS} FROM ami_events
     WHERE tenant_id = $1 AND ($3::boolean IS NULL OR (start_at <= $2 AND end_at > $2) = $3)
     ORDER BY start_at DESC, created_at DESC, id LIMIT 200`,
    [tenantId, now, active ?? null],
  );
  return rows;
}

/** An event as dashboards show it. */
export type ActiveEvent = Pick<
  EventRecord,
  'id' | 'feederId' | 'eventType' | 'severity' | 'startAt' | 'endAt'
>;

/** A tenant's events under way at `now`, latest start first, 200 at most. */
export async function activeEvents(client: Queryable, tenantId: string, now: Date): Promise<ActiveEvent[]> {
  const events = await listEvents(client, tenantId, now, true);
  return events.map(({ id, feederId, eventType, severity, startAt, endAt }) => ({
    id,
    feederId,
    eventType,
    severity,
    startAt,
    endAt,
  }));
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

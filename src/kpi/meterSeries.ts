import { ApiError } from '../contracts/errors.js';
import { MOST_METER_DAYS, requireSpan } from '../contracts/seriesRequest.js';
import { type Database, type Queryable, rethrowUnavailable } from '../db/db.js';
import { overlappingEvents } from '../events/eventTable.js';
import { stepsOf } from './seriesSpan.js';

interface MeterRead {
  /** ms. */
  at: number;
  feederId: string;
  kwh: number | null;
  deliveredKwh: number | null;
  voltage: number | null;
  flags: string[];
}

const QUARTER_HOUR = 900_000;
const HOUR = 4 * QUARTER_HOUR;

/**
 * One meter's intervals over `[from, to)`, and the events that concern it, kept apart from what was measured. A read off
 * the quarter hour is in no interval.
 *
 * @throws ApiError 400 for a span that is empty or over 35 days, 404 for a meter that has no read.
 */
export async function meterSeries(
  database: Database,
  tenantId: string,
  meterId: string,
  asked: { from: Date; to: Date },
) {
  requireSpan(asked.from, asked.to, MOST_METER_DAYS);
  const from = new Date(Math.floor(asked.from.getTime() / QUARTER_HOUR) * QUARTER_HOUR);
  const to = new Date(Math.ceil(asked.to.getTime() / QUARTER_HOUR) * QUARTER_HOUR);
  const [knownOn, reads] = await Promise.all([
    feederOf(database, tenantId, meterId),
    readsOf(database, tenantId, meterId, from, to),
  ]).catch(rethrowUnavailable);
  if (knownOn === undefined)
    throw new ApiError(404, 'not_found', `Tenant ${tenantId} has no read of a meter ${meterId}.`);
  const feederIds = [...new Set(reads.map(({ feederId }) => feederId))];
  const feederId = reads.at(-1)?.feederId ?? knownOn;
  if (feederId !== null && feederIds.length === 0) feederIds.push(feederId);
  const events = await overlappingEvents(database, tenantId, feederIds, from, to).catch(rethrowUnavailable);
  const isHourly = reads.length > 0 && reads.every(({ at }) => at % HOUR === 0);
  const stepMinutes = isHourly ? 60 : 15;
  const times = stepsOf({ from, to }, stepMinutes);
  const byTime = new Map(reads.map((read) => [read.at, read]));
  const column = <T>(of: (read: MeterRead) => T): (T | null)[] =>
    times.map((time) => {
      const read = byTime.get(time);
      return read === undefined ? null : of(read);
    });
  return {
    tenantId,
    meterId,
    feederId,
    from: new Date(times[0] as number),
    to,
    stepMinutes,
    times: times.map((time) => new Date(time)),
    kwh: column(({ kwh }) => kwh),
    deliveredKwh: column(({ deliveredKwh }) => deliveredKwh),
    voltage: column(({ voltage }) => voltage),
    flags: column(({ flags }) => flags),
    events: events
      .filter(({ meterIds }) => meterIds === null || meterIds.includes(meterId))
      .sort((a, b) => a.startAt.getTime() - b.startAt.getTime() || (a.id < b.id ? -1 : 1))
      .map(({ id, eventType, severity, meterFraction, startAt, endAt }) => {
        return { id, eventType, severity, meterFraction, startAt, endAt };
      }),
  };
}

/** The feeder that a meter was first seen on; undefined for a meter without any read. */
async function feederOf(
  database: Queryable,
  tenantId: string,
  meterId: string,
): Promise<string | null | undefined> {
  const { rows } = await database.query<{ feederId: string | null }>({
    name: 'feeder-of-meter',
    text: `SELECT feeder_id AS "feederId" FROM ami_known_meters WHERE tenant_id = $1 AND meter_id = $2`,
    values: [tenantId, meterId],
  });
  return rows[0]?.feederId;
}

async function readsOf(
  database: Queryable,
  tenantId: string,
  meterId: string,
  from: Date,
  to: Date,
): Promise<MeterRead[]> {
  const { rows } = await database.query<MeterRead>({
    name: 'reads-of-meter',
    text: `SELECT extract(epoch FROM read_at)::double precision * 1000 AS at, feeder_id AS "feederId",
             kwh::double precision AS kwh, delivered_kwh::double precision AS "deliveredKwh",
             voltage::double precision AS voltage,
             array_remove(ARRAY[
               CASE WHEN ami_is_underregistered(kwh, delivered_kwh) THEN 'SUSPICIOUS' END,
               CASE WHEN ami_is_low_voltage(voltage) THEN 'LOW_VOLTAGE' END,
               CASE WHEN ami_is_high_voltage(voltage) THEN 'HIGH_VOLTAGE' END,
               CASE WHEN NOT ami_is_measured(kwh, delivered_kwh) THEN 'IMPLAUSIBLE' END], NULL) AS flags
           FROM ami_reads_of_meter($1, $2, $3, $4) ORDER BY read_at`,
    values: [tenantId, meterId, from, to],
  });
  return rows;
}

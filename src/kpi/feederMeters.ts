import { invalidField } from '../contracts/errors.js';
import { requireAligned } from '../contracts/instants.js';
import { intervalEnd } from '../contracts/intervals.js';
import type { FeederMetersQuery } from '../contracts/seriesRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { requireFeeder } from './feederSeries.js';
import { publishedFleetAt } from './latestIntervals.js';

/** A meter of a feeder in one interval. */
interface FeederMeter {
  meterId: string;
  /** Energies in kWh; null without a read. */
  kwh: number | null;
  deliveredKwh: number | null;
  /** Volts. */
  voltage: number | null;
  /** Registered too little of what was delivered, by this read alone. */
  suspicious: boolean;
  lowVoltage: boolean;
  reported: boolean;
}

/**
 * What a page is sorted by; numbers of silent meters come last either way. In working hours the technical loss of large
 * customers is more than what is stolen in homes: by missing energy half of a page's meters were not suspicious.
 */
const SORT_SQL: Record<FeederMetersQuery['sort'], readonly string[]> = {
  meterId: [],
  suspicious: ['ami_is_underregistered(kwh, delivered_kwh)', 'delivered_kwh - kwh'],
  missingKwh: ['delivered_kwh - kwh'],
  kwh: ['kwh'],
  voltage: ['voltage'],
};

/**
 * One page of a feeder's meters in one interval.
 *
 * The meters that are known on the feeder are looked up one by one, by key. A meter that has moved is known on the feeder
 * that it was first seen on. So where the rollups have more reads than were found, all meters of the tenant are looked up.
 *
 * @throws ApiError 400 when `at` is on no boundary or `after` is none of the meters, 404 for a feeder that never had a read.
 */
export async function feederMeters(database: Database, feederId: string, query: FeederMetersQuery) {
  const { tenantId, at, sort, order, limit, after } = query;
  if (at) requireAligned('at', at, 15);
  await requireFeeder(database, tenantId, feederId);
  const interval = at ?? (await latestSettled(database, tenantId));
  if (interval === null)
    return { tenantId, feederId, intervalStart: null, intervalEnd: null, meters: [], next: null };
  const [known, fleet] = await Promise.all([
    metersAt(database, tenantId, feederId, interval, sort, order, false),
    publishedFleetAt(database, tenantId, interval),
  ]).catch(rethrowUnavailable);
  const found = known.isWhole
    ? known
    : await metersAt(database, tenantId, feederId, interval, sort, order, true).catch(rethrowUnavailable);
  const first = after === undefined ? 0 : found.meters.findIndex(({ meterId }) => meterId === after) + 1;
  if (after !== undefined && first === 0)
    throw invalidField('after', `must be a meter of ${feederId}, as \`next\` of the page before says`);
  const meters = found.meters.slice(first, first + limit);
  const isLast = first + limit >= found.meters.length;
  return {
    tenantId,
    feederId,
    intervalStart: interval,
    intervalEnd: intervalEnd(interval, fleet?.intervalMinutes ?? 15),
    meters,
    next: isLast ? null : (meters.at(-1)?.meterId ?? null),
  };
}

async function latestSettled(database: Database, tenantId: string): Promise<Date | null> {
  const { rows } = await database
    .query<{ at: Date | null }>({
      name: 'latest-settled',
      text: `SELECT ami_latest_settled_interval($1, '-infinity', 'infinity') AS at`,
      values: [tenantId],
    })
    .catch(rethrowUnavailable);
  return rows[0]?.at ?? null;
}

/** LIMIT 1 makes a look-up by key of each: a join became a scan of the day. */
async function metersAt(
  database: Database,
  tenantId: string,
  feederId: string,
  at: Date,
  sort: FeederMetersQuery['sort'],
  order: FeederMetersQuery['order'],
  amongAll: boolean,
): Promise<{ meters: FeederMeter[]; isWhole: boolean }> {
  const direction = order === 'asc' ? 'ASC' : 'DESC';
  const by = SORT_SQL[sort].map((what) => `${what} ${direction} NULLS LAST`);
  const last = sort === 'meterId' ? `meter_id ${direction}` : 'meter_id';
  const { rows } = await database.query<{ meters: FeederMeter[]; isWhole: boolean }>({
    name: `feeder-meters-${sort}-${order}`,
    text: `SELECT coalesce(json_agg(json_build_object('meterId', meter_id, 'kwh', kwh, 'deliveredKwh', delivered_kwh,
               'voltage', voltage, 'suspicious', coalesce(ami_is_underregistered(kwh, delivered_kwh), false),
               'lowVoltage', coalesce(ami_is_low_voltage(voltage), false), 'reported', reported)
             ORDER BY ${[...by, last].join(', ')}), '[]') AS meters,
             count(*) FILTER (WHERE reported) >= coalesce((SELECT reads FROM ami_feeder_intervals
               WHERE tenant_id = $1 AND feeder_id = $2 AND read_at = $3), 0) AS "isWhole"
           FROM (
             SELECT known.meter_id, nullif(read.kwh, 'NaN') AS kwh, nullif(read.delivered_kwh, 'NaN') AS delivered_kwh,
               nullif(read.voltage, 'NaN') AS voltage, read.feeder_id IS NOT NULL AS reported
             FROM ami_known_meters known LEFT JOIN LATERAL (
               SELECT * FROM ami_read_at(known.tenant_id, known.meter_id, $3) LIMIT 1) read ON true
             WHERE known.tenant_id = $1 AND (known.feeder_id = $2 OR $4)
               AND coalesce(read.feeder_id, known.feeder_id) = $2
           ) looked_up`,
    values: [tenantId, feederId, at, amongAll],
  });
  return rows[0] as (typeof rows)[number];
}

import { LRUCache } from 'lru-cache';
import type { Queryable } from '../db/db.js';
import type { TenantDay } from './tenantDays.js';

/** What one feeder read in one step of a series. */
export interface FeederCell {
  reads: number;
  /** Registered energy of all reads, kWh, and of those that carry a delivered energy. */
  kwh: number;
  meteredKwh: number;
  deliveredKwh: number;
  /** Volts; null where no read has any. */
  minVoltage: number | null;
  lowVoltageReads: number;
  /** Reads whose quality is estimated. */
  estimatedReads: number;
  /** What its customers fed in, kWh; null where no read has such a channel. */
  receivedKwh: number | null;
  /** Which quarter hours of the step have a read, one bit each; of a day how many, see `FeederDay`. */
  quarterHours: number;
}

/** A feeder's day, and what decides whether its intervals have changed. */
export interface FeederDay {
  /** As in `TenantDay`. */
  day: number;
  feederId: string;
  version: string;
  /** The most of its meters that one interval of the day had. */
  mostMeters: number;
  /** Whether all reads of the day are on the full hour of UTC. */
  isHourly: boolean;
  /** Quarter hours of the day with a read of any feeder. */
  tenantQuarterHours: number;
  cell: FeederCell;
}

/**
 * Days of a tenant's feeders, from the first to the last of the days given, by day.
 *
 * @param shown those of which the estimates are counted: of days that only say what is expected they are not asked for.
 */
export async function feederDays(
  database: Queryable,
  tenantId: string,
  days: readonly TenantDay[],
  shown: readonly TenantDay[],
): Promise<FeederDay[]> {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { rows } = await database.query({
    name: 'feeder-days',
    rowMode: 'array',
    text: `SELECT extract(epoch FROM day)::double precision * 1000, feeder_id, version::text,
             max_interval_reads::double precision, (quarter_hours || further_quarter_hours)::text,
             (bit_count(bit_or(quarter_hours) OVER (PARTITION BY day))
               + bit_count(bit_or(further_quarter_hours) OVER (PARTITION BY day)))::integer,
             ami_feeder_days.reads::double precision, kwh::double precision, (kwh - unmetered_kwh)::double precision,
             delivered_kwh::double precision, min_voltage::double precision, low_voltage_reads::double precision,
             coalesce(estimated.reads, 0)::double precision, received_kwh::double precision
           FROM ami_feeder_days LEFT JOIN (
             SELECT day, feeder_id, sum(reads) AS reads
             FROM unnest($4::date[], $5::double precision[], $6::double precision[]) AS of (day, starts_at, ends_at)
             JOIN ami_feeder_estimates ON tenant_id = $1 AND read_at >= to_timestamp(starts_at / 1000)
               AND read_at < to_timestamp(ends_at / 1000)
             GROUP BY 1, 2
           ) estimated USING (day, feeder_id)
           WHERE tenant_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day`,
    values: [
      tenantId,
      dateOf(first.day),
      dateOf(last.day),
      shown.map(({ day }) => dateOf(day)),
      shown.map(({ startsAt }) => startsAt),
      shown.map(({ endsAt }) => endsAt),
    ],
  } as never);
  const starts = new Map(days.map(({ day, startsAt }) => [day, startsAt]));
  return (rows as unknown as DayRow[]).map(
    ([day, feederId, version, mostMeters, bits, quarters, ...cell]) => ({
      day,
      feederId,
      version,
      mostMeters,
      isHourly: isHourly(bits, starts.get(day) ?? day),
      tenantQuarterHours: quarters,
      cell: cellOf([...cell, quarters]),
    }),
  );
}

/** Whether quarter hours, counted from the start of a day, are all on the full hour of UTC. */
function isHourly(bits: string, startsAt: number): boolean {
  const place = (4 - (Math.floor(startsAt / QUARTER_HOUR) % 4)) % 4;
  for (let bit = bits.indexOf('1'); bit >= 0; bit = bits.indexOf('1', bit + 1))
    if (bit % 4 !== place) return false;
  return true;
}
const QUARTER_HOUR = 900_000;

type CellRow = [
  reads: number,
  kwh: number,
  meteredKwh: number,
  deliveredKwh: number,
  minVoltage: number | null,
  lowVoltageReads: number,
  estimatedReads: number,
  receivedKwh: number | null,
  quarterHours: number,
];
type DayRow = [
  day: number,
  feederId: string,
  version: string,
  mostMeters: number,
  bits: string,
  quarters: number,
  reads: number,
  kwh: number,
  meteredKwh: number,
  deliveredKwh: number,
  minVoltage: number | null,
  lowVoltageReads: number,
  estimatedReads: number,
  receivedKwh: number | null,
];

function cellOf([
  reads,
  kwh,
  meteredKwh,
  deliveredKwh,
  minVoltage,
  lowVoltageReads,
  estimatedReads,
  receivedKwh,
  quarterHours,
]: CellRow): FeederCell {
  // A customer's table may hold NaN, which is no JSON.
  const lowest = Number.isFinite(minVoltage) ? minVoltage : null;
  return {
    ...{ reads, kwh, meteredKwh, deliveredKwh, minVoltage: lowest },
    ...{ lowVoltageReads, estimatedReads, receivedKwh, quarterHours },
  };
}

/** `2026-01-31`, as Postgres takes a date whatever its time zone. */
function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

/** A UTC day's cells: of each feeder by the number of the step in the day. */
export type DayCells = ReadonlyMap<string, ReadonlyMap<number, FeederCell>>;

/** Cells that are kept, some 150 bytes each: a month of hours of 40 feeders is 28,800, two weeks of quarter hours 53,760. */
const KEPT_CELLS = 250_000;
/** Rows of more days than these are sorted on disk: 30 days of 40 feeders were 9 MB. */
const DAYS_AT_ONCE = 3;

/**
 * Reads the cells of UTC days and keeps them: of a month, only the day that is being written changes. A day is read anew
 * when the version of any feeder's day that it is part of has changed.
 */
export function createFeederCells(database: Queryable) {
  const kept = new LRUCache<string, { version: string; cells: DayCells }>({
    maxSize: KEPT_CELLS,
    sizeCalculation: ({ cells }) => [...cells.values()].reduce((sum, { size }) => sum + size, 1),
  });

  /**
   * @param versions of each day, by the ms of its start.
   * @returns cells by the ms of the day's start.
   */
  return async (
    tenantId: string,
    versions: ReadonlyMap<number, string>,
    stepMinutes: 15 | 60,
  ): Promise<Map<number, DayCells>> => {
    const found = new Map<number, DayCells>();
    const key = (day: number): string => `${tenantId} ${stepMinutes} ${day}`;
    for (const [day, version] of versions) {
      const before = kept.get(key(day));
      if (before?.version === version) found.set(day, before.cells);
    }
    const missing = [...versions.keys()].filter((day) => !found.has(day));
    // What has been read stays when the answer comes too late, and the next one goes on from there.
    for (let first = 0; first < missing.length; first += DAYS_AT_ONCE) {
      const days = missing.slice(first, first + DAYS_AT_ONCE);
      for (const [day, cells] of await readDays(database, tenantId, days, stepMinutes)) {
        kept.set(key(day), { version: versions.get(day) as string, cells });
        found.set(day, cells);
      }
    }
    return found;
  };
}

/** A few days in one question, with one row per feeder and day: JSON is read faster than so many rows. */
async function readDays(
  database: Queryable,
  tenantId: string,
  days: readonly number[],
  stepMinutes: 15 | 60,
): Promise<Map<number, DayCells>> {
  const { rows } = await database.query<{ day: number; feederId: string; cells: [number, ...CellRow][] }>({
    name: 'feeder-cells',
    text: `SELECT day, feeder_id AS "feederId", json_agg(json_build_array(step, reads, kwh, metered_kwh, delivered_kwh,
             min_voltage, low_voltage_reads, estimated_reads, received_kwh, quarter_hours)) AS cells
           FROM (
             SELECT day, cell.feeder_id, place / $3::integer AS step, sum(reads) AS reads, sum(kwh) AS kwh,
               sum(kwh - unmetered_kwh) AS metered_kwh, sum(delivered_kwh) AS delivered_kwh,
               min(min_voltage) AS min_voltage, sum(low_voltage_reads) AS low_voltage_reads,
               coalesce(sum(estimated_reads), 0) AS estimated_reads, sum(received_kwh) AS received_kwh,
               bit_or(1 << (mod(place, $3::integer) / 15)) AS quarter_hours
             FROM unnest($2::double precision[]) AS day,
               LATERAL (
                 SELECT intervals.*, estimates.reads AS estimated_reads,
                   floor(extract(epoch FROM read_at - to_timestamp(day / 1000)) / 60)::integer AS place
                 FROM ami_feeder_intervals intervals
                 LEFT JOIN (
                   SELECT read_at, feeder_id, reads FROM ami_feeder_estimates
                   WHERE tenant_id = $1 AND read_at >= to_timestamp(day / 1000)
                     AND read_at < to_timestamp(day / 1000) + interval '24 h'
                 ) estimates USING (read_at, feeder_id)
                 WHERE tenant_id = $1 AND read_at >= to_timestamp(day / 1000)
                   AND read_at < to_timestamp(day / 1000) + interval '24 h'
               ) cell
             GROUP BY 1, 2, 3
           ) stepped GROUP BY 1, 2`,
    values: [tenantId, days, stepMinutes],
  });
  const found = new Map<number, Map<string, Map<number, FeederCell>>>(days.map((day) => [day, new Map()]));
  for (const { day, feederId, cells } of rows)
    found.get(day)?.set(feederId, new Map(cells.map(([step, ...cell]) => [step, cellOf(cell)])));
  return found;
}

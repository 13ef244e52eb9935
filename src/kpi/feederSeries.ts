import { ApiError } from '../contracts/errors.js';
import { MS_PER_DAY } from '../contracts/intervals.js';
import type { Measure } from '../contracts/seriesRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { tagOf } from './entityTag.js';
import { createFeederCells, type FeederCell, type FeederDay, feederDays } from './feederCells.js';
import { percent } from './intervalReport.js';
import { type SeriesSpan, stepsOf } from './seriesSpan.js';
import { dayAt, type TenantDay, tenantDays } from './tenantDays.js';

/** A day expects of a feeder what it had at most in one interval of the day or of so many days before. */
const EXPECTED_FROM_DAYS = 7;

/** Everything that series can show of a feeder in one step. */
const FIGURES = {
  expectedMeters: ({ expected }: Figured) => expected,
  /** Mean of the step's intervals. */
  reportingMeters: ({ cell, intervals }: Figured) => Math.round((cell?.reads ?? 0) / intervals),
  completenessPct: ({ cell, expected, intervals }: Figured) => {
    const reported = percent(cell?.reads ?? 0, expected * intervals);
    return reported === null ? null : Math.min(100, reported);
  },
  kwh: ({ cell }: Figured) => cell?.kwh ?? null,
  deliveredKwh: ({ cell }: Figured) => cell?.deliveredKwh ?? null,
  lossPct: ({ cell }: Figured) =>
    cell ? percent(cell.deliveredKwh - cell.meteredKwh, cell.deliveredKwh) : null,
  minVoltage: ({ cell }: Figured) => cell?.minVoltage ?? null,
  lowVoltageReads: ({ cell }: Figured) => cell?.lowVoltageReads ?? null,
} satisfies Record<string, (figured: Figured) => number | null>;
type Figure = keyof typeof FIGURES;
const ALL_FIGURES = Object.keys(FIGURES) as Figure[];

interface Figured {
  cell: FeederCell | undefined;
  expected: number;
  /** Intervals of the step in which any feeder of the tenant has a read: 1 or more. */
  intervals: number;
}

/** One step of all feeders; undefined where no feeder has a read. */
interface Step {
  /** The day that it begins in, as in `TenantDay`. */
  day: number;
  intervals: number;
  cellOf: (feederId: string) => FeederCell | undefined;
}

type Columns = Record<Figure, (number | null)[]>;

/** Series of feeders from the rollups, in columns. */
export function createFeederSeries(database: Database) {
  const readCells = createFeederCells(database);

  /** A tag that changes whenever a series of the span would. */
  const tag = async (
    tenantId: string,
    { resolution, from, to }: SeriesSpan,
    what: string,
  ): Promise<string> => {
    const { rows } = await database
      .query<{ version: string; zone: string | null; first: string; last: string }>({
        name: 'feeder-days-version',
        text: `WITH asked AS MATERIALIZED (SELECT ami_day_of($1, $2) AS first, ami_day_of($1, $3) AS last)
               SELECT concat_ws(':', count(version), sum(hashint8extended(version, 0))) AS version,
                 first::text, last::text,
                 (SELECT concat_ws(' ', time_zone, clock) FROM ami_tenant_zones WHERE tenant_id = $1) AS zone
               FROM asked LEFT JOIN ami_feeder_days ON tenant_id = $1 AND day BETWEEN first - $4::integer AND last
               GROUP BY first, last`,
        values: [tenantId, from, lastOf(to), EXPECTED_FROM_DAYS],
      })
      .catch(rethrowUnavailable);
    const [found] = rows;
    const span = resolution === 'day' ? [found?.first, found?.last] : [from, to];
    return tagOf([tenantId, resolution, ...span, what, found?.version, found?.zone]);
  };

  const load = async (tenantId: string, span: SeriesSpan) => {
    const calendar = await tenantDays(database, tenantId, span.from, span.to, EXPECTED_FROM_DAYS);
    const days = await feederDays(database, tenantId, calendar.days);
    const shown = calendar.days.filter(({ endsAt }) => endsAt > span.from.getTime());
    const firstShown = shown[0]?.day ?? Number.POSITIVE_INFINITY;
    const inSpan = days.filter(({ day }) => day >= firstShown);
    const stepMinutes = minutesOf(span, inSpan);
    const steps =
      stepMinutes === 1_440
        ? dayStep(inSpan, shown)
        : cellStep(
            await readCells(tenantId, versionsOf(inSpan, shown, span), stepMinutes),
            shown,
            stepMinutes,
          );
    const times = stepMinutes === 1_440 ? shown.map(({ startsAt }) => startsAt) : stepsOf(span, stepMinutes);
    const head = {
      timeZone: calendar.timeZone,
      from: new Date(times[0] as number),
      to: stepMinutes === 1_440 ? new Date(shown.at(-1)?.endsAt ?? span.to) : span.to,
      resolution: span.resolution,
      stepMinutes,
      times: times.map((time) => new Date(time)),
    };
    const ids = [...new Set(days.map(({ feederId }) => feederId))].sort((a, b) =>
      a.localeCompare(b, 'en', { numeric: true }),
    );
    const known = times.map(steps);
    const expectedOf = expectation(days);
    const columns = (feederId: string, figures: readonly Figure[]): Partial<Columns> => {
      const expected = expectedOf(feederId);
      const figured = known.map((step): Figured | undefined => {
        if (step === undefined) return undefined;
        const cell = step.cellOf(feederId);
        const meters = expected(step.day);
        return cell || meters > 0 ? { cell, expected: meters, intervals: step.intervals } : undefined;
      });
      return Object.fromEntries(
        figures.map((figure) => [figure, figured.map((one) => (one ? FIGURES[figure](one) : null))]),
      );
    };
    return { head, ids, columns };
  };

  return {
    tag,

    /** Some figures of all feeders. */
    async matrix(tenantId: string, span: SeriesSpan, measures: readonly Measure[]) {
      const { head, ids, columns } = await load(tenantId, span).catch(rethrowUnavailable);
      return {
        tenantId,
        ...head,
        feeders: ids.map((feederId) => ({ feederId, ...columns(feederId, measures) })),
      };
    },

    /**
     * All figures of one feeder.
     *
     * @throws ApiError 404 for a feeder that never had a read.
     */
    async feeder(tenantId: string, feederId: string, span: SeriesSpan) {
      const { head, ids, columns } = await load(tenantId, span).catch(rethrowUnavailable);
      if (!ids.includes(feederId)) await requireFeeder(database, tenantId, feederId);
      return { tenantId, feederId, ...head, ...columns(feederId, ALL_FIGURES) };
    },
  };
}

/** @throws ApiError 404 for a feeder that never had a read. */
export async function requireFeeder(database: Database, tenantId: string, feederId: string): Promise<void> {
  const { rows } = await database
    .query<{ isKnown: boolean }>({
      name: 'is-feeder-known',
      text: `SELECT EXISTS (SELECT FROM ami_feeder_days WHERE tenant_id = $1 AND feeder_id = $2) AS "isKnown"`,
      values: [tenantId, feederId],
    })
    .catch(rethrowUnavailable);
  if (!rows[0]?.isKnown)
    throw new ApiError(404, 'not_found', `No read of tenant ${tenantId} names a feeder ${feederId}.`);
}

/** An instant of the last day before `to`. */
function lastOf(to: Date): Date {
  return new Date(to.getTime() - 1);
}

function minutesOf({ resolution }: SeriesSpan, days: readonly FeederDay[]): 15 | 60 | 1_440 {
  if (resolution === 'day') return 1_440;
  if (resolution === 'hour') return 60;
  return days.length > 0 && days.every(({ isHourly }) => isHourly) ? 60 : 15;
}

/** What stands for all that the cells of each UTC day of the span are made from. */
function versionsOf(
  days: readonly FeederDay[],
  calendar: readonly TenantDay[],
  span: SeriesSpan,
): Map<number, string> {
  const ofDay = new Map<number, string>();
  for (const { day, feederId, version } of days)
    ofDay.set(day, `${ofDay.get(day) ?? ''} ${feederId}:${version}`);
  const versions = new Map<number, string>();
  for (let day = utcDay(span.from.getTime()); day < span.to.getTime(); day += MS_PER_DAY) {
    const parts = calendar
      .filter(({ startsAt, endsAt }) => endsAt > day && startsAt < day + MS_PER_DAY)
      .map((part) => ofDay.get(part.day));
    if (parts.some((part) => part !== undefined)) versions.set(day, parts.join());
  }
  return versions;
}

function utcDay(at: number): number {
  return Math.floor(at / MS_PER_DAY) * MS_PER_DAY;
}

function dayStep(
  days: readonly FeederDay[],
  calendar: readonly TenantDay[],
): (time: number) => Step | undefined {
  const cells = new Map(days.map(({ day, feederId, cell }) => [`${day} ${feederId}`, cell]));
  const intervals = new Map(days.map(({ day, tenantQuarterHours }) => [day, tenantQuarterHours]));
  return (time) => {
    const day = dayAt(calendar, time)?.day ?? time;
    const count = intervals.get(day);
    if (count === undefined) return undefined;
    return { day, intervals: Math.max(1, count), cellOf: (feederId) => cells.get(`${day} ${feederId}`) };
  };
}

function cellStep(
  days: Awaited<ReturnType<ReturnType<typeof createFeederCells>>>,
  calendar: readonly TenantDay[],
  stepMinutes: number,
): (time: number) => Step | undefined {
  const known = new Map<number, Step>();
  for (const [utc, feeders] of days) {
    const quarterHours = new Map<number, number>();
    for (const cells of feeders.values())
      for (const [place, cell] of cells)
        quarterHours.set(place, (quarterHours.get(place) ?? 0) | cell.quarterHours);
    for (const [place, bits] of quarterHours) {
      const time = utc + place * stepMinutes * 60_000;
      known.set(time, {
        day: dayAt(calendar, time)?.day ?? utc,
        intervals: bitCount(bits),
        cellOf: (feederId) => feeders.get(feederId)?.get(place),
      });
    }
  }
  return (time) => known.get(time);
}

function bitCount(bits: number): number {
  return bits === 0 ? 0 : (bits & 1) + bitCount(bits >>> 1);
}

/** How many meters a feeder is expected to report on a day: as `ami_expected_meters` has it (sql/schema/completeness.sql). */
function expectation(days: readonly FeederDay[]): (feederId: string) => (day: number) => number {
  const most = new Map<string, Map<number, number>>();
  for (const { feederId, day, mostMeters } of days) {
    const ofFeeder = most.get(feederId) ?? new Map<number, number>();
    most.set(feederId, ofFeeder.set(day, mostMeters));
  }
  return (feederId) => {
    const ofFeeder = most.get(feederId);
    const found = new Map<number, number>();
    return (day) => {
      let expected = found.get(day);
      if (expected === undefined) {
        expected = 0;
        for (let ago = 0; ago <= EXPECTED_FROM_DAYS; ago += 1)
          expected = Math.max(expected, ofFeeder?.get(day - ago * MS_PER_DAY) ?? 0);
        found.set(day, expected);
      }
      return expected;
    };
  };
}

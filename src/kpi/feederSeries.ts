import { ApiError } from '../contracts/errors.js';
import { MS_PER_DAY } from '../contracts/intervals.js';
import type { Measure } from '../contracts/seriesRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { tagOf } from './entityTag.js';
import { createFeederCells, type FeederCell, type FeederDay, feederDays, utcDay } from './feederCells.js';
import { percent } from './intervalReport.js';
import { type SeriesSpan, stepsOf } from './seriesSpan.js';

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
      .query<{ version: string }>({
        name: 'feeder-days-version',
        text: `SELECT concat_ws(':', count(*), sum(hashint8extended(version, 0))) AS version
               FROM ami_feeder_days WHERE tenant_id = $1 AND day BETWEEN $2 AND $3`,
        values: [tenantId, utcDay(daysBefore(from)), utcDay(lastOf(to))],
      })
      .catch(rethrowUnavailable);
    return tagOf([tenantId, resolution, from, to, what, rows[0]?.version]);
  };

  const load = async (tenantId: string, span: SeriesSpan) => {
    const days = await feederDays(database, tenantId, daysBefore(span.from), lastOf(span.to));
    const inSpan = days.filter(({ day }) => day + MS_PER_DAY > span.from.getTime());
    const stepMinutes = minutesOf(span, inSpan);
    const steps =
      stepMinutes === 1_440
        ? dayStep(inSpan)
        : cellStep(await readCells(tenantId, versionsOf(inSpan), stepMinutes), stepMinutes);
    const times = stepsOf(span, stepMinutes);
    const head = {
      from: new Date(times[0] as number),
      to: span.to,
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

function daysBefore(from: Date): Date {
  return new Date(from.getTime() - EXPECTED_FROM_DAYS * MS_PER_DAY);
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

/** What stands for all that a day's cells are made from. */
function versionsOf(days: readonly FeederDay[]): Map<number, string> {
  const versions = new Map<number, string>();
  for (const { day, feederId, version } of days)
    versions.set(day, `${versions.get(day) ?? ''} ${feederId}:${version}`);
  return versions;
}

function dayStep(days: readonly FeederDay[]): (time: number) => Step | undefined {
  const cells = new Map(days.map(({ day, feederId, cell }) => [`${day} ${feederId}`, cell]));
  const intervals = new Map(days.map(({ day, tenantQuarterHours }) => [day, tenantQuarterHours]));
  return (day) => {
    const count = intervals.get(day);
    if (count === undefined) return undefined;
    return { day, intervals: Math.max(1, count), cellOf: (feederId) => cells.get(`${day} ${feederId}`) };
  };
}

function cellStep(
  days: Awaited<ReturnType<ReturnType<typeof createFeederCells>>>,
  stepMinutes: number,
): (time: number) => Step | undefined {
  const known = new Map<number, Step>();
  for (const [day, feeders] of days) {
    const quarterHours = new Map<number, number>();
    for (const cells of feeders.values())
      for (const [place, cell] of cells)
        quarterHours.set(place, (quarterHours.get(place) ?? 0) | cell.quarterHours);
    for (const [place, bits] of quarterHours)
      known.set(day + place * stepMinutes * 60_000, {
        day,
        intervals: bitCount(bits),
        cellOf: (feederId) => feeders.get(feederId)?.get(place),
      });
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

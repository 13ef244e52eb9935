import { ApiError } from '../contracts/errors.js';
import { MS_PER_DAY } from '../contracts/intervals.js';
import type { Measure } from '../contracts/seriesRequest.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { tagOf } from './entityTag.js';
import { createFeederCells, type FeederCell, type FeederDay, feederDays } from './feederCells.js';
import { percent } from './intervalReport.js';
import { createReadLengths, hasOtherLengths, type LengthFacts, WHOLE_SPAN } from './readLengths.js';
import {
  EXPECTED_FROM_DAYS,
  type Expectation,
  type Expected,
  expectationByLength,
  expectationOf,
} from './seriesExpectation.js';
import { type SeriesSpan, stepsOf } from './seriesSpan.js';
import { cellStep, dayStep, dayVersions, utcDay, versionsOf } from './seriesSteps.js';
import { dayAt, type TenantDay, tenantDays } from './tenantDays.js';

/** Everything that series can show of a feeder in one step. */
const FIGURES = {
  expectedMeters: ({ expected }: Figured) => expected.meters,
  reportingMeters: ({ expected }: Figured) => expected.reporting,
  completenessPct: ({ cell, expected }: Figured) => {
    const reported = percent(cell?.reads ?? 0, expected.reads);
    return reported === null ? null : Math.min(100, reported);
  },
  estimatedPct: ({ cell }: Figured) => (cell ? percent(cell.estimatedReads, cell.reads) : null),
  kwh: ({ cell }: Figured) => cell?.kwh ?? null,
  deliveredKwh: ({ cell }: Figured) => cell?.deliveredKwh ?? null,
  receivedKwh: ({ cell }: Figured) => cell?.receivedKwh ?? null,
  lossPct: ({ cell }: Figured) =>
    cell ? percent(cell.deliveredKwh - cell.meteredKwh, cell.deliveredKwh) : null,
  minVoltage: ({ cell }: Figured) => cell?.minVoltage ?? null,
  lowVoltageReads: ({ cell }: Figured) => cell?.lowVoltageReads ?? null,
} satisfies Record<string, (figured: Figured) => number | null>;
type Figure = keyof typeof FIGURES;
const ALL_FIGURES = Object.keys(FIGURES) as Figure[];

interface Figured {
  cell: FeederCell | undefined;
  expected: Expected;
}

type Columns = Record<Figure, (number | null)[]>;

/** Series of feeders from the rollups, in columns. */
export function createFeederSeries(database: Database) {
  const readCells = createFeederCells(database);
  const readLengths = createReadLengths(database);

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

  /** What is expected of each feeder; only where reads say to be of other lengths are they asked for. */
  const expectation = async (
    tenantId: string,
    calendar: readonly TenantDay[],
    days: readonly FeederDay[],
    versions: ReadonlyMap<number, string>,
    stepMinutes: 15 | 60 | 1_440,
  ): Promise<Expectation> => {
    const [first, last] = [calendar[0], calendar.at(-1)];
    if (!first || !last || !(await hasOtherLengths(database, tenantId, first.startsAt, last.endsAt)))
      return expectationOf(days);
    const ofDay = dayVersions(days);
    const counted = calendar.flatMap(({ day, ...bounds }) => {
      const version = ofDay.get(day);
      return version === undefined ? [] : [{ ...bounds, version }];
    });
    const whole = await readLengths(tenantId, counted, WHOLE_SPAN);
    const byDay = new Map<number, LengthFacts>();
    for (const { day, startsAt } of calendar) {
      const facts = whole.get(startsAt)?.get(0);
      if (facts) byDay.set(day, facts);
    }
    if (stepMinutes === 1_440)
      return expectationByLength(byDay, (time) => byDay.get(dayAt(calendar, time)?.day ?? time));
    const utcDays = [...versions].map(([day, version]) => ({
      ...{ startsAt: day, endsAt: day + MS_PER_DAY },
      version,
    }));
    const stepped = await readLengths(tenantId, utcDays, stepMinutes);
    return expectationByLength(byDay, (time) => {
      const day = utcDay(time);
      return stepped.get(day)?.get((time - day) / (stepMinutes * 60_000));
    });
  };

  const load = async (tenantId: string, span: SeriesSpan) => {
    const calendar = await tenantDays(database, tenantId, span.from, span.to, EXPECTED_FROM_DAYS);
    const shown = calendar.days.filter(({ endsAt }) => endsAt > span.from.getTime());
    const days = await feederDays(database, tenantId, calendar.days, span.resolution === 'day' ? shown : []);
    const firstShown = shown[0]?.day ?? Number.POSITIVE_INFINITY;
    const inSpan = days.filter(({ day }) => day >= firstShown);
    const stepMinutes = minutesOf(span, inSpan);
    const versions = versionsOf(inSpan, shown, span);
    const steps =
      stepMinutes === 1_440
        ? dayStep(inSpan, shown)
        : cellStep(await readCells(tenantId, versions, stepMinutes), shown, stepMinutes);
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
    const expectedOf = await expectation(tenantId, calendar.days, days, versions, stepMinutes);
    const columns = (feederId: string, figures: readonly Figure[]): Partial<Columns> => {
      const expected = expectedOf(feederId);
      const figured = known.map((step): Figured | undefined => {
        if (step === undefined) return undefined;
        const cell = step.cellOf(feederId);
        const found = expected(step, cell);
        return cell || found.meters > 0 ? { cell, expected: found } : undefined;
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

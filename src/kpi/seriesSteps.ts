import { MS_PER_DAY } from '../contracts/intervals.js';
import type { createFeederCells, FeederCell, FeederDay } from './feederCells.js';
import type { ExpectingStep } from './seriesExpectation.js';
import type { SeriesSpan } from './seriesSpan.js';
import { dayAt, type TenantDay } from './tenantDays.js';

/** One step of all feeders; undefined where no feeder has a read. */
export interface Step extends ExpectingStep {
  cellOf: (feederId: string) => FeederCell | undefined;
}

/** What stands for all that the cells of each UTC day of the span are made from. */
export function versionsOf(
  days: readonly FeederDay[],
  calendar: readonly TenantDay[],
  span: SeriesSpan,
): Map<number, string> {
  const ofDay = dayVersions(days);
  const versions = new Map<number, string>();
  for (let day = utcDay(span.from.getTime()); day < span.to.getTime(); day += MS_PER_DAY) {
    const parts = calendar
      .filter(({ startsAt, endsAt }) => endsAt > day && startsAt < day + MS_PER_DAY)
      .map((part) => ofDay.get(part.day));
    if (parts.some((part) => part !== undefined)) versions.set(day, parts.join());
  }
  return versions;
}

/** What stands for all that a day's figures are made from. */
export function dayVersions(days: readonly FeederDay[]): Map<number, string> {
  const ofDay = new Map<number, string>();
  for (const { day, feederId, version } of days)
    ofDay.set(day, `${ofDay.get(day) ?? ''} ${feederId}:${version}`);
  return ofDay;
}

/** ms of the UTC midnight before an instant in ms. */
export function utcDay(at: number): number {
  return Math.floor(at / MS_PER_DAY) * MS_PER_DAY;
}

/** The days of a span, by the ms of their starts. */
export function dayStep(
  days: readonly FeederDay[],
  calendar: readonly TenantDay[],
): (time: number) => Step | undefined {
  const cells = new Map(days.map(({ day, feederId, cell }) => [`${day} ${feederId}`, cell]));
  const intervals = new Map(days.map(({ day, tenantQuarterHours }) => [day, tenantQuarterHours]));
  return (time) => {
    const day = dayAt(calendar, time)?.day ?? time;
    const count = intervals.get(day);
    if (count === undefined) return undefined;
    return {
      time,
      day,
      intervals: Math.max(1, count),
      cellOf: (feederId) => cells.get(`${day} ${feederId}`),
    };
  };
}

/** The quarter hours or hours of a span, by the ms of their starts. */
export function cellStep(
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
        time,
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

import { MS_PER_DAY } from '../contracts/intervals.js';
import type { FeederCell, FeederDay } from './feederCells.js';
import type { LengthFacts } from './readLengths.js';

/** A day expects of a feeder what it had at most in one interval of the day or of so many days before. */
export const EXPECTED_FROM_DAYS = 7;

/** A step of a series, and how many of its intervals anybody has read. */
export interface ExpectingStep {
  /** ms of its start. */
  time: number;
  /** The day that it begins in, as in `TenantDay`. */
  day: number;
  /** Quarter hours of the step in which any feeder of the tenant has a read. */
  intervals: number;
}

/** What was expected of a feeder in a step, and what came of it. */
export interface Expected {
  meters: number;
  reads: number;
  /** Meters that reported, the mean of the step's intervals. */
  reporting: number;
}

/** Asks what a step expects of a feeder. */
export type Expectation = (
  feederId: string,
) => (step: ExpectingStep, cell: FeederCell | undefined) => Expected;

/** Of a tenant whose reads are all of quarter hours: as `ami_expected_meters` has it (sql/schema/completeness.sql). */
export function expectationOf(days: readonly FeederDay[]): Expectation {
  const most = new Map<string, Map<number, number>>();
  for (const { feederId, day, mostMeters } of days) {
    const ofFeeder = most.get(feederId) ?? new Map<number, number>();
    most.set(feederId, ofFeeder.set(day, mostMeters));
  }
  return (feederId) => {
    const ofFeeder = most.get(feederId);
    const metersOn = mostOfTheWeek((day) => ofFeeder?.get(day) ?? 0);
    return ({ day, intervals }, cell) => {
      const meters = metersOn(day);
      return { meters, reads: meters * intervals, reporting: Math.round((cell?.reads ?? 0) / intervals) };
    };
  };
}

/**
 * Of a tenant with reads of several lengths, each of which is expected by itself: its meters, as often as anybody's of that
 * length was read in the step. As `ami_expected_by_length` has it (sql/schema/interval_lengths.sql).
 *
 * @param ofDays facts of whole days, by `TenantDay.day`.
 * @param ofSteps facts of steps, by the ms of their start.
 */
export function expectationByLength(
  ofDays: ReadonlyMap<number, LengthFacts>,
  ofSteps: (time: number) => LengthFacts | undefined,
): Expectation {
  const lengths = [...new Set([...ofDays.values()].flatMap(({ slots }) => [...slots.keys()]))];
  return (feederId) => {
    const metersOn = new Map(
      lengths.map((minutes) => [
        minutes,
        mostOfTheWeek((day) => ofDays.get(day)?.feeders.get(feederId)?.get(minutes)?.meters ?? 0),
      ]),
    );
    return ({ time, day }) => {
      const facts = ofSteps(time);
      const all = { meters: 0, reads: 0, reporting: 0 };
      for (const [minutes, slots] of facts?.slots ?? []) {
        const meters = metersOn.get(minutes)?.(day) ?? 0;
        all.meters += meters;
        all.reads += meters * slots;
        all.reporting += (facts?.feeders.get(feederId)?.get(minutes)?.reads ?? 0) / slots;
      }
      return { ...all, reporting: Math.round(all.reporting) };
    };
  };
}

function mostOfTheWeek(on: (day: number) => number): (day: number) => number {
  const found = new Map<number, number>();
  return (day) => {
    const before = found.get(day);
    if (before !== undefined) return before;
    let most = 0;
    for (let ago = 0; ago <= EXPECTED_FROM_DAYS; ago += 1) most = Math.max(most, on(day - ago * MS_PER_DAY));
    found.set(day, most);
    return most;
  };
}

import { MS_PER_DAY, MS_PER_MINUTE } from '../contracts/intervals.js';
import { type FeederSpan, feederSpans } from '../emulator/fleet/syntheticFleet.js';
import type { Scenario } from '../scenarios/scenario.js';

/** What is made at once and becomes one file of reads: neighbouring feeders on one UTC day. */
export interface Unit {
  /** `2026-03-01`. */
  day: string;
  /** From 1. */
  part: number;
  feeders: readonly FeederSpan[];
  /** Starts of the intervals of the day that are in the span, ms. */
  starts: readonly number[];
}

/** Meters of a part, unless one feeder has more: 240,000 reads of a day, some 60 MB while they are made. */
const PART_METERS = 2_500;

/**
 * The units of a data set, part by part and each day by day: what a thread keeps of the meters serves the next unit. They depend on
 * the scenario alone, never on who makes them.
 */
export function unitsOf({ file, from, to }: Scenario): Unit[] {
  const days = daysOf(from, to, file.intervalMinutes * MS_PER_MINUTE);
  return partsOf(feederSpans(file)).flatMap((feeders, index) =>
    days.map(({ day, starts }) => ({ day, part: index + 1, feeders, starts })),
  );
}

/** `day=2026-03-01/part-01`: a folder that readers know as a column, and a file. */
export function unitPath({ day, part }: Pick<Unit, 'day' | 'part'>): string {
  return `day=${day}/part-${String(part).padStart(2, '0')}`;
}

function partsOf(spans: readonly FeederSpan[]): FeederSpan[][] {
  const parts: FeederSpan[][] = [];
  let meters = 0;
  for (const span of spans) {
    const size = span.to - span.from;
    const last = parts.at(-1);
    if (last && meters + size <= PART_METERS) {
      last.push(span);
      meters += size;
    } else {
      parts.push([span]);
      meters = size;
    }
  }
  return parts;
}

function daysOf(from: Date, to: Date, intervalMs: number): { day: string; starts: number[] }[] {
  const days: { day: string; starts: number[] }[] = [];
  for (
    let midnight = Math.floor(from.getTime() / MS_PER_DAY) * MS_PER_DAY;
    midnight < to.getTime();
    midnight += MS_PER_DAY
  ) {
    const first = Math.max(midnight, from.getTime());
    const end = Math.min(midnight + MS_PER_DAY, to.getTime());
    const starts = Array.from(
      { length: Math.ceil((end - first) / intervalMs) },
      (_, at) => first + at * intervalMs,
    );
    days.push({ day: new Date(midnight).toISOString().slice(0, 10), starts });
  }
  return days;
}

import { DAY, endOf, type Found, HOUR, type MeterSpan, type SpanRead } from './meterSpan.js';

/** Reads that follow each other without a gap, of which each is alike in something. */
function* unbroken(reads: readonly SpanRead[], isAlike: (read: SpanRead) => boolean): Generator<SpanRead[]> {
  let run: SpanRead[] = [];
  for (const read of reads) {
    const last = run.at(-1);
    if (last !== undefined && (!isAlike(read) || read.at > endOf(last))) {
      yield run;
      run = [];
    }
    if (isAlike(read)) run.push(read);
  }
  if (run.length > 0) yield run;
}

/** A roof that feeds in through an interval draws nothing in it, and its meter is alive. */
const isZero = ({ kwh, isFedIn }: SpanRead): boolean => kwh === 0 && !isFedIn;

/** `zero-run`: no energy for the limit or longer, in hours, also where the zeros began before the span. */
export function zeroRuns({ reads, before }: MeterSpan, limit: number): Found[] {
  const first = reads[0]?.at ?? Number.POSITIVE_INFINITY;
  const found: Found[] = [];
  for (const run of unbroken([...before, ...reads], isZero)) {
    const ofSpan = run.filter(({ at }) => at >= first);
    const [from, to] = boundsOf(run);
    if (ofSpan.length === 0 || to - from < limit * HOUR) continue;
    found.push({ rule: 'zero-run', from, to, value: (to - from) / HOUR, limit, reads: startsOf(ofSpan) });
  }
  return found;
}

/** Of the meter's past reads at that time of day this many must have had a voltage for its lack to be one. */
const USUAL_PART = 0.5;

/** `voltage-missing`: no voltage for longer than the limit, in hours, of a meter that usually has one. */
export function withoutVoltage({ reads, past }: MeterSpan, limit: number): Found[] {
  if (reads.every(({ hasVoltage }) => hasVoltage)) return [];
  if (past.size === 0 || past.withVoltage < USUAL_PART * past.size) return [];
  const found: Found[] = [];
  for (const run of unbroken(reads, ({ hasVoltage }) => !hasVoltage)) {
    const [from, to] = boundsOf(run);
    const value = (to - from) / HOUR;
    if (value > limit) found.push({ rule: 'voltage-missing', from, to, value, limit, reads: startsOf(run) });
  }
  return found;
}

/** `duplicate`: reads of two lengths in the same time, which count energy twice. `value` is how many overlap. */
export function overlaps({ reads }: MeterSpan, limit: number): Found[] {
  const found: Found[] = [];
  for (const [index, read] of reads.entries()) {
    const others = [];
    for (let next = index + 1; next < reads.length; next += 1) {
      const other = reads[next] as SpanRead;
      if (other.at >= endOf(read)) break;
      others.push(other);
    }
    if (others.length === 0) continue;
    const all = [read, ...others];
    const to = Math.max(...all.map(endOf));
    found.push({ rule: 'duplicate', from: read.at, to, value: all.length, limit, reads: startsOf(all) });
  }
  return found;
}

/**
 * `duplicate`: as many reads in a row as the limit or more that have the very energy of a day before: a block that was
 * delivered twice, under two dates. What never changes is no such block.
 */
export function repeatedDays({ reads, past }: MeterSpan, limit: number): Found[] {
  const isRepeated = ({ at, kwh }: SpanRead): boolean => kwh !== 0 && past.kwhAt(at - DAY) === kwh;
  const found: Found[] = [];
  for (const run of unbroken(reads, isRepeated)) {
    if (run.length < limit || new Set(run.map(({ kwh }) => kwh)).size < limit / 2) continue;
    const [from, to] = boundsOf(run);
    found.push({ rule: 'duplicate', from, to, value: run.length, limit, reads: startsOf(run) });
  }
  return found;
}

const boundsOf = (run: readonly SpanRead[]): [from: number, to: number] => [
  (run[0] as SpanRead).at,
  endOf(run.at(-1) as SpanRead),
];
const startsOf = (reads: readonly SpanRead[]): number[] => reads.map(({ at }) => at);

import type { Der } from '../../src/contracts/emulation.js';
import type { Place } from '../../src/contracts/places.js';
import { DEFAULT_RULES, type VeeRule } from '../../src/contracts/veeRules.js';
import { generateWholeDay, type WholeDay } from '../../src/emulator/wholeDays/wholeDay.js';
import { DAY, MINUTE, type SpanRead } from '../../src/vee/rules/meterSpan.js';
import { PAST_DAYS, Past } from '../../src/vee/rules/past.js';
import { validateMeter } from '../../src/vee/rules/validate.js';

/** Reads to be validated: two weeks of history, then `days` days, each meter's own. */
export interface Sample {
  seed: string;
  /** Null: the first model, which has a climate. */
  place: Place | null;
  der?: Der;
  meters: number;
  days: number;
  /** The first UTC day of the history. */
  from: string;
}

const PER_DAY = 96;
/** Reads of a meter's history. */
const HISTORY = PAST_DAYS * PER_DAY;
const QUARTER = 15 * MINUTE;

/** Emulated reads that nothing is wrong with, by meter; energy in kWh. */
export function cleanReads({ seed, place, der, meters, days, from }: Sample): SpanRead[][] {
  const start = Date.parse(`${from}T00:00Z`);
  const fleet = { meterCount: meters, feederCount: 10 };
  const made = Array.from({ length: PAST_DAYS + days }, (_, day) =>
    generateWholeDay(
      {
        ...{ tenantId: 'VEE', seed, timeZone: 'UTC', intervalMinutes: 15, intervals: PER_DAY },
        ...(place === null ? {} : { model: 2 as const, place }),
        ...(der && { der }),
        readAt: new Date(start + day * DAY),
      },
      fleet,
      0,
      meters,
    ),
  );
  return Array.from({ length: meters }, (_, meter) =>
    made.flatMap((day, index) => readsOf(day, meter, start + index * DAY)),
  );
}

function readsOf({ kwh, received }: WholeDay, meter: number, midnight: number): SpanRead[] {
  return Array.from({ length: PER_DAY }, (_, slot) => {
    const place = meter * PER_DAY + slot;
    return {
      at: midnight + slot * QUARTER,
      minutes: 15,
      kwh: (kwh[place] as number) / 10_000,
      hasVoltage: true,
      isFedIn: received !== undefined && (received.kwh[place] as number) > 0,
      quality: null,
    };
  });
}

/** What a meter does wrong with a read of the days that are validated: `index` counts them from the first. */
export type Fault = (read: SpanRead, index: number) => SpanRead;

/** Reads that a rule names, and days of meters with any, of so many. */
export interface Counted {
  reads: number;
  named: Partial<Record<VeeRule, number>>;
}

/**
 * Validates day by day by the usual rules, each meter alone. What a rule of severity `fail` has named is questionable from then on, and
 * no past that later days are compared with.
 */
export function count(meters: readonly SpanRead[][], fault: Fault = (read) => read): Counted {
  const counted: Counted = { reads: 0, named: {} };
  for (const clean of meters) {
    const sent = clean.map((read, index) => (index < HISTORY ? read : fault(read, index - HISTORY)));
    const failed = new Set<number>();
    for (let first = HISTORY; first < sent.length; first += PER_DAY) {
      counted.reads += PER_DAY;
      for (const [rule, named] of namedOf(sent, first, failed)) {
        counted.named[rule] = (counted.named[rule] ?? 0) + named.size;
        if (DEFAULT_RULES[rule].severity === 'fail') for (const at of named) failed.add(at);
      }
    }
  }
  return counted;
}

function namedOf(sent: SpanRead[], first: number, failed: ReadonlySet<number>): Map<VeeRule, Set<number>> {
  const reads = sent.slice(first, first + PER_DAY);
  const from = (reads[0] as SpanRead).at;
  const past = sent.slice(first - HISTORY, first).filter(({ at }) => !failed.has(at));
  const found = validateMeter(
    { meterId: 'M', reads, past: Past.of(past), before: sent.slice(first - PER_DAY, first) },
    { from, to: from + DAY, tenantHas: new Set(reads.map(({ at }) => at)), rules: DEFAULT_RULES },
  );
  const named = new Map<VeeRule, Set<number>>();
  for (const { rule, reads: starts } of found) {
    const of = named.get(rule) ?? new Set();
    for (const at of starts) of.add(at);
    named.set(rule, of);
  }
  return named;
}

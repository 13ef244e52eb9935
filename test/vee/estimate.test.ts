import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../src/contracts/veeRules.js';
import { LocalZone } from '../../src/intervalFiles/time/localZone.js';
import { dueSpan } from '../../src/vee/dueSpan.js';
import { type Estimate, estimateHole } from '../../src/vee/estimate/estimate.js';
import { holesOf } from '../../src/vee/estimate/holes.js';
import { DAY, HOUR, MINUTE, type SpanRead } from '../../src/vee/rules/meterSpan.js';
import { Past, type PastRead } from '../../src/vee/rules/past.js';

const QUARTER = 15 * MINUTE;
/** A Tuesday. */
const FROM = Date.parse('2026-03-10T00:00:00Z');
const read = (at: number, kwh: number, quality: string | null = null, minutes = 15): SpanRead => ({
  ...{ at, minutes, kwh, hasVoltage: false, isFedIn: false, quality },
});
const past = (at: number, kwh: number, minutes = 15): PastRead => ({ at, minutes, kwh, hasVoltage: false });
const times = (from: number, to: number, step = QUARTER) =>
  Array.from({ length: (to - from) / step }, (_, index) => from + index * step);
const UTC = new LocalZone('UTC');

const whole = (to = FROM + DAY) => ({
  ...{ from: FROM, to, rules: DEFAULT_RULES },
  tenantHas: new Set(times(FROM, to)),
});
const holes = (reads: SpanRead[], pastReads: PastRead[] = []) =>
  holesOf({ meterId: 'M', reads, past: Past.of(pastReads), before: [] }, whole());
const shown = (estimates: Estimate[]) =>
  estimates.map(({ at, kwh, method }) => [new Date(at).toISOString().slice(5, 16), kwh, method]);

describe('holes', () => {
  const day = (skip: (slot: number) => boolean, failed: (slot: number) => boolean = () => false) =>
    times(FROM, FROM + DAY)
      .filter((_, slot) => !skip(slot))
      .map((at) => read(at, 1, failed((at - FROM) / QUARTER) ? 'questionable' : null));

  it('are gaps and failed reads that touch, with what was measured on both sides', () => {
    const found = holes(
      day(
        (slot) => slot === 10 || slot === 40,
        (slot) => slot === 11,
      ),
    );
    expect(found).toMatchObject([
      { from: FROM + 10 * QUARTER, to: FROM + 12 * QUARTER, left: { kwh: 1 }, right: { kwh: 1 } },
      { from: FROM + 40 * QUARTER, to: FROM + 41 * QUARTER },
    ]);
  });

  it('have no good side at the end, and beside an estimate', () => {
    const found = holes(
      day((slot) => slot > 90).map((one) =>
        one.at === FROM + 90 * QUARTER ? { ...one, quality: 'estimated' } : one,
      ),
    );
    expect(found).toMatchObject([
      { from: FROM + 91 * QUARTER, to: FROM + DAY, left: undefined, right: undefined },
    ]);
  });
});

describe('an estimate', () => {
  const hole = (from: number, to: number, left?: number, right?: number, minutes = 15) => ({
    ...{ from, to, minutes },
    left: left === undefined ? undefined : read(from - minutes * MINUTE, left, null, minutes),
    right: right === undefined ? undefined : read(to, right, null, minutes),
  });

  it('is on the line between the neighbours, with as many digits as they have', () => {
    const found = estimateHole(hole(FROM, FROM + 3 * QUARTER, 0.1, 0.5001), {
      reads: [],
      past: Past.of([]),
      zone: UTC,
    });
    expect(shown(found)).toEqual([
      ['03-10T00:00', '0.2000', 'linear'],
      ['03-10T00:15', '0.3001', 'linear'],
      ['03-10T00:30', '0.4001', 'linear'],
    ]);
  });

  const usual = (at: number) => (((at % DAY) + DAY) % DAY) / DAY + 0.25;
  const weeks = (of: (at: number) => number) =>
    Past.of(times(FROM - 28 * DAY, FROM).map((at) => past(at, of(at))));

  it('is linear up to two hours, and by like days beyond or without a neighbour', () => {
    const known = { reads: [], past: weeks(() => 0.5), zone: UTC };
    const methods = (found: Estimate[]) => new Set(found.map(({ method }) => method));
    expect(methods(estimateHole(hole(FROM, FROM + 2 * HOUR, 1, 1), known))).toEqual(new Set(['linear']));
    const longer = estimateHole(hole(FROM, FROM + 2 * HOUR + QUARTER, 1, 1), known);
    expect(methods(longer)).toEqual(new Set(['like-day']));
    expect(longer).toHaveLength(9);
    expect(methods(estimateHole(hole(FROM, FROM + QUARTER, 1), known))).toEqual(new Set(['like-day']));
  });

  it('is the mean of the latest four days of the same kind', () => {
    // Workdays have 1, 2, 3, … by how many days ago; Saturday and Sunday 100.
    const known = {
      reads: [],
      past: weeks((at) => {
        const ago = Math.ceil((FROM - at) / DAY);
        return [0, 6].includes(new Date(at).getUTCDay()) ? 100 : ago;
      }),
      zone: UTC,
    };
    // Tuesday: Monday (1), Friday (4), Thursday (5), Wednesday (6).
    expect(shown(estimateHole(hole(FROM, FROM + QUARTER), known))).toEqual([
      ['03-10T00:00', '4', 'like-day'],
    ]);
    const saturday = FROM + 4 * DAY;
    expect(shown(estimateHole(hole(saturday, saturday + QUARTER), known))).toEqual([
      ['03-14T00:00', '100', 'like-day'],
    ]);
  });

  it('is scaled by what was measured around it, to the double or half at most', () => {
    const at = FROM + 12 * HOUR;
    const around = (factor: number) =>
      times(at - 3 * HOUR, at).map((time) => read(time, usual(time) * factor));
    const kwh = (factor: number) =>
      Number(
        estimateHole(hole(at, at + QUARTER), { reads: around(factor), past: weeks(usual), zone: UTC })[0]
          ?.kwh,
      );
    expect(kwh(1)).toBeCloseTo(0.75, 5);
    expect(kwh(1.5)).toBeCloseTo(1.125, 5);
    expect(kwh(10)).toBeCloseTo(1.5, 5);
    expect(kwh(0.1)).toBeCloseTo(0.375, 5);
  });

  it('goes by the local clock over its change', () => {
    const zone = new LocalZone('America/New_York');
    // The clock went forward on Sunday, 8 March: 08:00 local is 13:00 UTC before and 12:00 UTC after it.
    const at = Date.parse('2026-03-09T12:00:00Z');
    const known = { reads: [], zone, past: weeks((time) => new Date(time).getUTCHours()) };
    expect(shown(estimateHole(hole(at, at + QUARTER), known))).toEqual([['03-09T12:00', '13', 'like-day']]);
  });

  it('is left out where no like day has a read, and never of another length', () => {
    expect(estimateHole(hole(FROM, FROM + QUARTER), { reads: [], past: Past.of([]), zone: UTC })).toEqual([]);
    const hours = Past.of(times(FROM - 28 * DAY, FROM, HOUR).map((at) => past(at, 4, 60)));
    expect(estimateHole(hole(FROM, FROM + QUARTER), { reads: [], past: hours, zone: UTC })).toEqual([]);
    expect(
      estimateHole(hole(FROM, FROM + HOUR, 4, 4, 60), { reads: [], past: hours, zone: UTC }),
    ).toHaveLength(1);
  });
});

describe('what is due of a tenant', () => {
  const latest = new Date('2026-03-10T10:00:00Z');
  const tenant = { latest, minutes: 15, isComplete: true, graceIntervals: 4, validatedTo: null };
  const due = (more: object, now = '2026-03-10T10:20:00Z') => {
    const span = dueSpan({ ...tenant, ...more }, new Date(now));
    return span && [span.from.toISOString().slice(11, 16), span.to.toISOString().slice(11, 16)];
  };

  it('is the latest interval at first, and then all since', () => {
    expect(due({})).toEqual(['10:00', '10:15']);
    expect(due({ validatedTo: new Date('2026-03-10T09:00:00Z') })).toEqual(['09:00', '10:15']);
    expect(due({ validatedTo: new Date('2026-03-10T10:15:00Z') })).toBeUndefined();
    expect(due({ latest: null })).toBeUndefined();
  });

  it('waits for reads that are late, for so long', () => {
    const late = { isComplete: false, validatedTo: new Date('2026-03-10T09:00:00Z') };
    expect(due(late)).toEqual(['09:00', '09:15']);
    expect(due(late, '2026-03-10T11:14:59Z')).toEqual(['09:00', '10:00']);
    expect(due(late, '2026-03-10T11:15:00Z')).toEqual(['09:00', '10:15']);
    expect(due({ ...late, graceIntervals: 0 })).toEqual(['09:00', '10:15']);
  });

  it('is a day at most', () => {
    expect(dueSpan({ ...tenant, validatedTo: new Date('2026-02-01T00:00:00Z') }, latest)?.from).toEqual(
      new Date('2026-03-09T10:15:00Z'),
    );
  });
});

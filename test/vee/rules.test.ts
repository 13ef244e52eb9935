import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES, type RuleSettings, VEE_RULES, type VeeRule } from '../../src/contracts/veeRules.js';
import { likeIntervals } from '../../src/vee/rules/likeIntervals.js';
import {
  DAY,
  HOUR,
  type MeterSpan,
  MINUTE,
  type Part,
  type SpanRead,
} from '../../src/vee/rules/meterSpan.js';
import { Past, type PastRead } from '../../src/vee/rules/past.js';
import { validateMeter } from '../../src/vee/rules/validate.js';

const QUARTER = 15 * MINUTE;
const FROM = Date.parse('2026-03-10T00:00:00Z');
const read = (at: number, kwh: number, more: Partial<SpanRead> = {}): SpanRead => ({
  ...{ at, minutes: 15, kwh, hasVoltage: true, isFedIn: false, quality: null },
  ...more,
});
const past = (at: number, kwh: number, more: Partial<PastRead> = {}): PastRead => ({
  ...{ at, minutes: 15, kwh, hasVoltage: true },
  ...more,
});

/** Usage that goes with the time of day and differs a little from day to day. */
const usual = (at: number): number => {
  const day = Math.floor(at / DAY);
  const slot = (at % DAY) / QUARTER;
  const peak = (at: number, width: number): number => Math.exp(-(((slot - at) / width) ** 2));
  return 0.1 + 0.2 * peak(28, 5) + 0.3 * peak(76, 8) + 0.001 * ((day * 7 + slot * 3) % 11);
};
const history = (of = usual, days = 14): PastRead[] =>
  Array.from({ length: days * 96 }, (_, index) => FROM - days * DAY + index * QUARTER).map((at) =>
    past(at, of(at)),
  );
const dayOf = (of = usual): SpanRead[] =>
  Array.from({ length: 96 }, (_, index) => FROM + index * QUARTER).map((at) => read(at, of(at)));
const everyQuarter = new Set(dayOf().map(({ at }) => at));

const found = (
  meter: Partial<Omit<MeterSpan, 'past'>> & { past?: PastRead[] },
  { only, limit, ...part }: Partial<Part> & { only?: VeeRule; limit?: number } = {},
) => {
  const rules = Object.fromEntries(
    VEE_RULES.map((rule) => {
      const setting = { ...DEFAULT_RULES[rule], ...(limit === undefined ? {} : { limit }) };
      return [rule, only === undefined || only === rule ? setting : { ...setting, severity: 'off' }];
    }),
  ) as unknown as RuleSettings;
  return validateMeter(
    { meterId: 'M', reads: dayOf(), before: [], ...meter, past: Past.of(meter.past ?? history()) },
    { from: FROM, to: FROM + DAY, tenantHas: everyQuarter, rules, ...part },
  );
};

describe('a day as usual', () => {
  it('has no finding by any rule', () => {
    expect(found({})).toEqual([]);
  });

  it('has none without a past either', () => {
    expect(found({ past: [] })).toEqual([]);
  });
});

describe('missing', () => {
  const without = (...slots: number[]) => dayOf().filter((_, slot) => !slots.includes(slot));

  it('joins missing intervals to gaps, by hours', () => {
    expect(found({ reads: without(0, 40, 41, 95) })).toMatchObject([
      { rule: 'missing', from: FROM, to: FROM + QUARTER, value: 0.25 },
      { rule: 'missing', from: FROM + 40 * QUARTER, to: FROM + 42 * QUARTER, value: 0.5 },
      { rule: 'missing', from: FROM + 95 * QUARTER, to: FROM + DAY, value: 0.25 },
    ]);
    expect(found({ reads: without(0, 40, 41) }, { limit: 0.25, only: 'missing' })).toHaveLength(1);
  });

  it('expects what the tenant has, or what the meter had the day or the week before', () => {
    const nothing = { reads: [], tenantHas: new Set<number>() };
    expect(found({ reads: [] }, { only: 'missing', tenantHas: nothing.tenantHas })).toMatchObject([
      { from: FROM, to: FROM + DAY, value: 24 },
    ]);
    const weekAgo = history().filter(({ at }) => at < FROM - 6 * DAY && at >= FROM - 7 * DAY);
    expect(
      found({ reads: [], past: weekAgo }, { only: 'missing', tenantHas: nothing.tenantHas }),
    ).toMatchObject([{ value: 24 }]);
    const other = history().filter(({ at }) => at < FROM - 2 * DAY && at >= FROM - 3 * DAY);
    expect(found({ reads: [], past: other }, { only: 'missing', tenantHas: nothing.tenantHas })).toEqual([]);
  });

  it('expects nothing of a meter that was silent for a week, or that is new', () => {
    const old = history().filter(({ at }) => at < FROM - 7 * DAY);
    expect(found({ reads: [], past: old })).toEqual([]);
    expect(found({ reads: [], past: [] })).toEqual([]);
  });

  it('knows hours, and a read that covers more than its own boundary', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => read(FROM + hour * HOUR, 1, { minutes: 60 }));
    expect(found({ reads: hours, past: [] })).toEqual([]);
    expect(found({ reads: hours.filter((_, hour) => hour !== 3), past: [] })).toMatchObject([
      { rule: 'missing', from: FROM + 3 * HOUR, to: FROM + 4 * HOUR },
    ]);
  });
});

describe('zero-run', () => {
  const zeros = (count: number) => dayOf((at) => ((at - FROM) / QUARTER < count ? 0 : usual(at)));
  const zerosBefore = (count: number) =>
    Array.from({ length: count }, (_, index) => read(FROM - (count - index) * QUARTER, 0));

  it('counts hours without energy, with those before the span', () => {
    expect(found({ reads: zeros(95) })).toEqual([]);
    expect(found({ reads: zeros(96) })).toMatchObject([
      { rule: 'zero-run', from: FROM, to: FROM + DAY, value: 24 },
    ]);
    expect(found({ reads: zeros(1), before: zerosBefore(95) })).toMatchObject([
      { rule: 'zero-run', from: FROM - 95 * QUARTER, to: FROM + QUARTER, value: 24, reads: [FROM] },
    ]);
    expect(found({ reads: zeros(0), before: zerosBefore(96) })).toEqual([]);
  });

  it('is none of a roof that feeds in, and begins anew behind it', () => {
    const exporting = zeros(96).map((one, slot) => ({ ...one, isFedIn: slot === 40 }));
    expect(found({ reads: exporting }, { only: 'zero-run' })).toEqual([]);
    expect(found({ reads: exporting }, { only: 'zero-run', limit: 10 })).toMatchObject([
      { from: FROM, to: FROM + 40 * QUARTER },
      { from: FROM + 41 * QUARTER, to: FROM + DAY },
    ]);
  });

  it('ends at a gap', () => {
    const before = zerosBefore(95).filter((_, index) => index !== 50);
    expect(found({ reads: zeros(1), before })).toEqual([]);
  });
});

describe('levels', () => {
  const with1 = (kwh: number, minutes = 15) =>
    dayOf().map((one) => (one.at === FROM + 40 * QUARTER ? { ...one, kwh, minutes } : one));

  it('finds a spike above the third highest like interval, and not one below 10 kW', () => {
    expect(found({ reads: with1(3) })).toMatchObject([
      { rule: 'spike', from: FROM + 40 * QUARTER, value: 3 },
    ]);
    expect(found({ reads: with1(2.5) })).toEqual([]);
    expect(found({ reads: with1(3) }, { only: 'spike', limit: 10_000 })).toEqual([]);
  });

  it('does not take two spikes of the past for usual', () => {
    const at = FROM + 40 * QUARTER;
    const spiky = (days: number) =>
      history((time) => (time >= at - days * DAY && (at - time) % DAY === 0 ? 3.2 : usual(time)));
    expect(found({ reads: with1(3), past: spiky(2) }, { only: 'spike' })).toHaveLength(1);
    expect(found({ reads: with1(3), past: spiky(3) }, { only: 'spike' })).toEqual([]);
  });

  it('finds energy below zero', () => {
    expect(found({ reads: with1(-0.001) })).toMatchObject([{ rule: 'negative', value: -0.001, limit: 0 }]);
    expect(found({ reads: with1(-0.001) }, { only: 'negative', limit: 1 })).toEqual([]);
  });

  it('tells a wrong unit from a spike', () => {
    expect(found({ reads: with1(110) })).toMatchObject([{ rule: 'thousandfold' }]);
    expect(found({ reads: with1(110) })).toHaveLength(1);
    expect(found({ reads: with1(0.000_11) })).toMatchObject([{ rule: 'thousandfold' }]);
    expect(found({ reads: with1(9_000) })).toMatchObject([{ rule: 'spike' }]);
  });

  it('takes a small median behind a roof for no wrong unit', () => {
    const shaded = history((time) => (Math.floor(time / DAY) % 4 === 0 ? 0.4 : 0.001));
    expect(found({ reads: with1(0.766), past: shaded }, { only: 'thousandfold' })).toEqual([]);
    expect(found({ reads: with1(0.766), past: history(() => 0.001) }, { only: 'thousandfold' })).toHaveLength(
      1,
    );
    const sunny = history((time) => (Math.floor(time / DAY) % 4 === 0 ? 0.001 : 0.4));
    expect(found({ reads: with1(0.0005), past: sunny }, { only: 'thousandfold' })).toEqual([]);
    expect(found({ reads: with1(0.0005), past: history(() => 0.4) }, { only: 'thousandfold' })).toHaveLength(
      1,
    );
  });

  it('says nothing of NaN', () => {
    expect(found({ reads: with1(Number.NaN) })).toEqual([]);
  });
});

describe('voltage-missing', () => {
  it('is found of a meter that reports voltage alone', () => {
    const reads = dayOf().map((one, slot) => (slot > 89 ? { ...one, hasVoltage: false } : one));
    expect(found({ reads })).toMatchObject([{ rule: 'voltage-missing', to: FROM + DAY, value: 1.5 }]);
    const without = history().map((one) => ({ ...one, hasVoltage: false }));
    expect(found({ reads, past: without })).toEqual([]);
  });
});

describe('clock-shift', () => {
  it('finds a read off its boundary', () => {
    const reads = dayOf().map((one, slot) => (slot === 7 ? { ...one, at: one.at + 4 * MINUTE } : one));
    expect(found({ reads }, { only: 'clock-shift' })).toMatchObject([{ value: 4, limit: 3 }]);
    expect(found({ reads }, { only: 'clock-shift', limit: 4 })).toEqual([]);
  });

  it('finds a day that goes an hour late or early', () => {
    expect(found({ reads: dayOf((at) => usual(at - HOUR * 2)) }, { only: 'clock-shift' })).toMatchObject([
      { rule: 'clock-shift', from: FROM, to: FROM + DAY, value: 120 },
    ]);
    expect(found({ reads: dayOf((at) => usual(at + HOUR * 2)) }, { only: 'clock-shift' })).toMatchObject([
      { value: -120 },
    ]);
  });

  it('knows a move of three hours from a day that fits the better the further it is moved', () => {
    expect(found({ reads: dayOf((at) => usual(at - HOUR * 3)) }, { only: 'clock-shift' })).toMatchObject([
      { value: 180 },
    ]);
    expect(found({ reads: dayOf((at) => usual(at - HOUR * 3.5)) }, { only: 'clock-shift' })).toEqual([]);
  });

  it('finds nothing in a flat day', () => {
    expect(found({ reads: dayOf(() => 0.3), past: history(() => 0.3) })).toEqual([]);
  });
});

describe('duplicate', () => {
  it('finds a block as it was the day before, unless it never changes', () => {
    const reads = dayOf((at) =>
      at >= FROM + 8 * QUARTER && at < FROM + 18 * QUARTER ? usual(at - DAY) : usual(at),
    );
    expect(found({ reads })).toMatchObject([
      { rule: 'duplicate', from: FROM + 8 * QUARTER, to: FROM + 18 * QUARTER, value: 10 },
    ]);
    expect(found({ reads }, { only: 'duplicate', limit: 11 })).toEqual([]);
  });

  it('finds reads of two lengths in the same time', () => {
    const reads = [read(FROM, 1, { minutes: 60 }), read(FROM + QUARTER, 0.25)];
    expect(found({ reads, past: [] }, { only: 'duplicate' })).toMatchObject([
      { rule: 'duplicate', from: FROM, to: FROM + HOUR, value: 2, reads: [FROM, FROM + QUARTER] },
    ]);
  });
});

it('the middle and the spread are of the sorted values', () => {
  const like = (values: number[]) => {
    const days = values.map((kwh, day) => past(FROM - (values.length - day) * DAY, kwh));
    return likeIntervals(Past.of(days), FROM, 15);
  };
  expect(like([5, 1, 3, 2, 5, 1, 3, 2])).toMatchObject({ median: 2.5, thirdHighest: 3, spread: 1.4826 });
  expect(like([1, 1, 4, 1, 1, 4, 1, 1, 4])?.median).toBe(1);
  expect(like([1, 1, 4, 1, 1, 4, 1])).toBeUndefined();
});

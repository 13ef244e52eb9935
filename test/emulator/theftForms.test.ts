import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { THEFT_FORMS, type TheftForm } from '../../src/contracts/eventRequest.js';
import { applyEvents, type EventScene, stolenReads } from '../../src/emulator/events/applyEvents.js';
import type { FeederEvent } from '../../src/emulator/events/feederEvent.js';
import { localDay } from '../../src/emulator/events/localDay.js';
import { createUnstolenUse } from '../../src/emulator/events/unstolenUse.js';
import { metersOfFeeder } from '../../src/emulator/fleet/syntheticFleet.js';
import { generateReads, type ReadsRequest } from '../../src/emulator/reads.js';

const FLEET = { meterCount: 40, feederCount: 4 };
const ZONE = 'America/New_York';
const base: Omit<ReadsRequest, 'readAt'> = {
  ...{ tenantId: 'FORMS', seed: 'forms', fleet: FLEET, from: 0, to: 40 },
  ...{ intervalMinutes: 15, timeZone: ZONE },
};
const MINUTES_15 = 900_000;
/** 5 March 2026 by New York's clock. */
const DAY = Date.UTC(2026, 2, 5, 5);
const at = (index: number): Date => new Date(DAY + index * MINUTES_15);
const METER = 'FORMS-MTR-00006';

const theft = (form: TheftForm | null, over: Partial<FeederEvent> = {}): FeederEvent => ({
  ...{ id: 'an id', feederId: 'FEEDER_2', eventType: 'theft', severity: 0.55, form },
  ...{ startAt: new Date(DAY - 7 * 86_400_000), endAt: new Date(DAY + 7 * 86_400_000) },
  ...{ meterIds: null, meterFraction: null },
  ...over,
});
const scene = (readAt: Date, over: Partial<ReadsRequest> = {}): EventScene => ({
  ...{ tenantId: base.tenantId, seed: base.seed, readAt, timeZone: ZONE, intervalMinutes: 15 },
  metersOfFeeder: (id) => metersOfFeeder(base.tenantId, id, FLEET),
  use: createUnstolenUse({ ...base, ...over, readAt, syntheticFeederCount: FLEET.feederCount }),
});
const registered = (readAt: Date, events: FeederEvent[], from = 0, to = 40): Map<string, number> => {
  const columns = applyEvents(generateReads({ ...base, readAt, from, to }), events, scene(readAt));
  return new Map(columns.meterIds.map((id, index) => [id, columns.kwh[index] as number]));
};
const dayOf = (events: FeederEvent[], meter = METER, intervals = 96): number[] =>
  Array.from({ length: intervals }, (_, index) => registered(at(index), events, 10, 20).get(meter) as number);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

describe('forms of theft', () => {
  const x = dayOf([]);
  const mean = sum(x) / 96;

  it('one factor, also where no form is said', () => {
    expect(dayOf([theft('constant')])).toEqual(x.map((kwh) => round(kwh * (1 - 0.55))));
    expect(dayOf([theft(null)])).toEqual(dayOf([theft('constant')]));
  });

  it('a factor drawn for each interval, from 0.1 to 0.8 at severity 0.55', () => {
    const shares = dayOf([theft('random')]).map((kwh, index) => kwh / (x[index] as number));
    expect(Math.min(...shares)).toBeLessThan(0.2);
    expect(Math.max(...shares)).toBeGreaterThan(0.7);
    for (const share of shares) expect(share > 0.09 && share < 0.81).toBe(true);
    expect(sum(shares) / 96).toBeCloseTo(0.45, 1);
  });

  it('nothing for one part of the day, as long as the severity says, and the truth knows which', () => {
    const stolen = dayOf([theft('window', { severity: 0.25 })]);
    const zeros = stolen.flatMap((kwh, index) => (kwh === 0 ? [index] : []));
    expect(zeros).toHaveLength(24);
    expect((zeros.at(-1) as number) - (zeros[0] as number)).toBe(23);
    stolen.forEach((kwh, index) => {
      if (!zeros.includes(index)) expect(kwh).toBe(x[index]);
      const isStolen = stolenReads([theft('window', { severity: 0.25 })], scene(at(index)))(METER);
      expect(isStolen).toBe(zeros.includes(index));
    });
  });

  it('the mean of the day, the same all day long, and a drawn factor of it', () => {
    expect(new Set(dayOf([theft('mean')]))).toEqual(new Set([round(mean)]));
    const shares = dayOf([theft('mean-factor')]).map((kwh) => kwh / mean);
    expect(new Set(shares).size).toBeGreaterThan(80);
    for (const share of shares) expect(share > 0.09 && share < 0.81).toBe(true);
  });

  it('the day read backwards', () => {
    expect(dayOf([theft('reversed')])).toEqual([...x].reverse());
  });

  it('the same whatever batch a read comes in', () => {
    for (const form of THEFT_FORMS) {
      const events = [theft(form, { meterFraction: 0.5 })];
      const whole = registered(at(40), events);
      for (let from = 0; from < 40; from += 7)
        for (const [meter, kwh] of registered(at(40), events, from, from + 7))
          expect(kwh, form).toBe(whole.get(meter));
    }
  });

  it('the same whatever order the thefts are read in', () => {
    const form = fc.constantFrom(...THEFT_FORMS);
    const severity = fc.constantFrom(0.1, 0.3, 0.7);
    const events = fc.array(fc.record({ form, severity }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(events, (some) => {
        const made = some.map((one) => theft(one.form, { severity: one.severity }));
        expect(registered(at(30), [...made].reverse())).toEqual(registered(at(30), made));
      }),
      { numRuns: 25 },
    );
  });

  it('leaves what is delivered as it is', () => {
    for (const form of THEFT_FORMS) {
      const columns = generateReads({ ...base, readAt: at(12) });
      expect(applyEvents(columns, [theft(form)], scene(at(12))).deliveredKwh).toEqual(columns.deliveredKwh);
    }
  });

  it('makes no read that was published before there were forms any other', () => {
    const three = [0.1, 0.37, 0.73].map((severity) => theft(null, { severity }));
    const shares = (1 - 0.1) * (1 - 0.37) * (1 - 0.73);
    expect(dayOf(three)).toEqual(x.map((kwh) => Math.round(kwh * shares * 10_000) / 10_000));
  });

  it('says what is missing where a day is looked at and cannot be', () => {
    const { use: _, ...without } = scene(at(0));
    expect(() => applyEvents(generateReads({ ...base, readAt: at(0) }), [theft('mean')], without)).toThrow(
      'the scene has no use',
    );
  });
});

describe('a day of the local clock', () => {
  const slotsOf = (zone: string, instant: string, minutes: 15 | 60 = 15) =>
    localDay(zone, Date.parse(instant) / MINUTES_15, minutes);

  it.each([
    ['America/New_York', '2026-03-08T12:00:00Z', 92],
    ['America/New_York', '2026-11-01T12:00:00Z', 100],
    ['Australia/Lord_Howe', '2026-10-03T20:00:00Z', 94],
    ['America/Santiago', '2026-04-04T20:00:00Z', 100],
    ['America/Santiago', '2026-09-06T20:00:00Z', 92],
    ['Antarctica/Troll', '2026-10-25T12:00:00Z', 104],
    ['Asia/Kathmandu', '2026-03-08T12:00:00Z', 96],
    ['UTC', '2026-03-08T00:00:00Z', 96],
  ])('in %s around %s has %i quarter hours', (zone, instant, count) => {
    const { slots, index } = slotsOf(zone, instant);
    expect(slots).toHaveLength(count);
    expect(slots[index]).toBe(Date.parse(instant) / MINUTES_15);
  });

  it('has hours that begin in it, in zones of half hours too', () => {
    const days = ['2026-06-01T18:00:00Z', '2026-06-01T19:00:00Z'].map((instant) =>
      slotsOf('Asia/Kolkata', instant, 60),
    );
    expect(days.map(({ slots, index }) => [slots.length, index])).toEqual([
      [24, 23],
      [24, 0],
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEvents, type EventScene, skippedReads } from '../../src/emulator/events/applyEvents.js';
import { selectedMeters } from '../../src/emulator/events/eventSelection.js';
import { FEEDER_EVENT_TYPES, type FeederEvent, overlaps } from '../../src/emulator/events/feederEvent.js';
import {
  feederId,
  feederNumber,
  feederRange,
  feederRuns,
  metersOfFeeder,
  type SyntheticFleet,
} from '../../src/emulator/fleet/syntheticFleet.js';
import { generateReads, type ReadColumns, type ReadsRequest } from '../../src/emulator/reads.js';
import { batchRanges } from '../../src/ledger/batchRange.js';

const FLEET: SyntheticFleet = { meterCount: 500, feederCount: 10 };
const base: ReadsRequest = {
  tenantId: 'DEMO_TENANT',
  seed: 'a seed',
  fleet: FLEET,
  from: 0,
  to: 500,
  readAt: new Date('2026-01-15T18:00:00Z'),
  intervalMinutes: 15,
};
const scene = (over: Partial<EventScene> = {}): EventScene => ({
  tenantId: base.tenantId,
  seed: base.seed,
  readAt: base.readAt,
  metersOfFeeder: (id) => metersOfFeeder(base.tenantId, id, FLEET),
  ...over,
});
const event = (eventType: FeederEvent['eventType'], over: Partial<FeederEvent> = {}): FeederEvent => ({
  id: 'an id',
  feederId: 'FEEDER_7',
  eventType,
  severity: 0.5,
  startAt: new Date('2026-01-15T18:07:00Z'),
  endAt: new Date('2026-01-15T19:07:00Z'),
  meterIds: null,
  meterFraction: null,
  ...over,
});

interface Read {
  feederId: string;
  kwh: number;
  deliveredKwh: number;
  voltage: number;
  qualityFlags: readonly string[];
}

function byMeter(columns: ReadColumns): Map<string, Read> {
  return new Map(
    columns.meterIds.map((id, index) => [
      id,
      {
        feederId: columns.feederIds[index] as string,
        kwh: columns.kwh[index] as number,
        deliveredKwh: columns.deliveredKwh[index] as number,
        voltage: columns.voltage[index] as number,
        qualityFlags: columns.qualityFlags[index] as readonly string[],
      },
    ]),
  );
}
const normal = byMeter(generateReads(base));
const withEvents = (events: FeederEvent[], over: Partial<EventScene> = {}) =>
  byMeter(applyEvents(generateReads(base), events, scene(over)));
const onFeeder = (reads: Map<string, Read>, id = 'FEEDER_7') =>
  [...reads].filter(([, read]) => read.feederId === id);

const severity = fc.double({ min: 0, max: 1, noNaN: true });
const arbitraryEvent: fc.Arbitrary<FeederEvent> = fc
  .record({
    eventType: fc.constantFrom(...FEEDER_EVENT_TYPES),
    severity,
    feeder: fc.integer({ min: 1, max: 12 }),
    selection: fc.oneof(
      fc.constant({ meterIds: null, meterFraction: null }),
      fc
        .double({ min: 0.001, max: 1, noNaN: true })
        .map((meterFraction) => ({ meterIds: null, meterFraction })),
      fc.subarray([...normal.keys()].slice(0, 40)).map((meterIds) => ({ meterIds, meterFraction: null })),
    ),
  })
  .map(({ feeder, selection, ...rest }) =>
    event(rest.eventType, { severity: rest.severity, feederId: feederId(feeder), ...selection }),
  );
const arbitraryEvents = fc.array(arbitraryEvent, { maxLength: 6 });

describe('overlaps', () => {
  const at = (time: string) => new Date(`2026-01-15T${time}Z`);
  it.each([
    ['18:07:00', '19:07:00', true, 'begins within'],
    ['17:00:00', '18:00:00', false, 'ends as the interval begins'],
    ['17:00:00', '18:00:01', true, 'reaches a second into it'],
    ['18:15:00', '18:20:00', false, 'begins as the interval ends'],
    ['18:14:59', '18:20:00', true, 'begins in its last second'],
    ['18:05:00', '18:06:00', true, 'lies within'],
    ['18:07:00', '18:07:00', false, 'was stopped before it began'],
  ])('[%s, %s) against [18:00, 18:15): %s, it %s', (start, end, expected) => {
    const interval = { startAt: at(start), endAt: at(end) };
    expect(overlaps(interval, at('18:00:00'), at('18:15:00'))).toBe(expected);
  });
});

describe('the line of a fleet', () => {
  it('has each feeder at its range, as the runs say', () => {
    fc.assert(
      fc.property(
        fc.record({
          meterCount: fc.integer({ min: 1, max: 2_000 }),
          feederCount: fc.integer({ min: 1, max: 40 }),
        }),
        (fleet) => {
          const runs = feederRuns(fleet, 0, fleet.meterCount);
          for (let feeder = 1; feeder <= fleet.feederCount; feeder += 1) {
            const { from, to } = feederRange(feeder, fleet);
            expect(feederRuns(fleet, from, to)).toEqual(runs.filter((run) => run.feeder === feeder));
            expect(metersOfFeeder('T', feederId(feeder), fleet)).toHaveLength(to - from);
          }
        },
      ),
    );
  });

  it.each([
    ['FEEDER_1', 1],
    ['FEEDER_10', 10],
    ['FEEDER_11', undefined],
    ['FEEDER_0', undefined],
    ['FEEDER_01', undefined],
    ['feeder_1', undefined],
    ['X', undefined],
  ])('knows %s as %s', (id, number) => expect(feederNumber(id, FLEET)).toBe(number));
});

describe('applyEvents', () => {
  it('makes the same read whatever the batch it comes in, and whatever order the events are in', () => {
    fc.assert(
      fc.property(arbitraryEvents, fc.integer({ min: 1, max: 500 }), fc.nat(), (events, size, rotation) => {
        const whole = withEvents(events);
        const turned = events.map((_, index) => events[(index + rotation) % events.length] as FeederEvent);
        const pieces = new Map<string, Read>();
        for (const { from, to } of batchRanges({
          rangeFrom: 0,
          rangeTo: FLEET.meterCount,
          batchSize: size,
        })) {
          const columns = applyEvents(generateReads({ ...base, from, to }), turned, scene());
          for (const [id, read] of byMeter(columns)) pieces.set(id, read);
        }
        expect(pieces).toEqual(whole);
      }),
    );
  });

  it('never touches what was delivered, another feeder, or a meter that is not selected', () => {
    fc.assert(
      fc.property(arbitraryEvents, (events) => {
        const after = withEvents(events);
        const chosen = new Set(events.flatMap((one) => selectedMeters(one, scene())));
        for (const [id, read] of normal) {
          if (!chosen.has(id)) expect(after.get(id)).toEqual(read);
          else if (after.has(id)) expect(after.get(id)?.deliveredKwh).toBe(read.deliveredKwh);
        }
      }),
    );
  });

  it('costs nothing without an event of the feeders at hand', () => {
    const columns = generateReads(base);
    expect(applyEvents(columns, [], scene())).toBe(columns);
    expect(applyEvents(columns, [event('theft', { feederId: 'FEEDER_99' })], scene())).toBe(columns);
  });

  it('multiplies thefts, to 0.1 Wh', () => {
    fc.assert(
      fc.property(severity, severity, (first, second) => {
        const after = withEvents([event('theft', { severity: first }), event('theft', { severity: second })]);
        for (const [id, read] of onFeeder(normal)) {
          const expected = read.kwh * (1 - first) * (1 - second);
          expect(after.get(id)?.kwh).toBeCloseTo(expected, 3);
          expect(Math.abs((after.get(id)?.kwh ?? 0) - expected)).toBeLessThanOrEqual(0.000051);
          expect(after.get(id)).toMatchObject({ voltage: read.voltage, deliveredKwh: read.deliveredKwh });
        }
      }),
    );
  });

  it('leaves a meter silent as often as the severity says, the same ones each time, others at another time', () => {
    const fleet = { meterCount: 25_000, feederCount: 10 };
    const silent = (of: number, over: Partial<EventScene> = {}) =>
      metersOfFeeder('T', 'FEEDER_7', fleet).filter((id) =>
        skippedReads([event('comms-outage', { severity: of })], scene(over))(id),
      );
    for (const of of [0.2, 0.5, 0.8]) {
      // 2,500 meters: five standard deviations are at most 0.05.
      expect(Math.abs(silent(of).length / 2_500 - of)).toBeLessThan(0.05);
      expect(silent(of)).toEqual(silent(of));
    }
    expect(silent(0)).toEqual([]);
    expect(silent(1)).toHaveLength(2_500);
    expect(silent(0.8)).toEqual(expect.arrayContaining(silent(0.5)));
    const later = silent(0.5, { readAt: new Date('2026-01-15T18:15:00Z') });
    expect(later).not.toEqual(silent(0.5));
    expect(silent(0.5, { seed: 'another' })).not.toEqual(silent(0.5));
  });

  it('combines outages as independent', () => {
    fc.assert(
      fc.property(severity, severity, (first, second) => {
        const two = [event('comms-outage', { severity: first }), event('comms-outage', { severity: second })];
        const one = [event('comms-outage', { severity: 1 - (1 - first) * (1 - second) })];
        expect([...withEvents(two).keys()]).toEqual([...withEvents(one).keys()]);
      }),
      // Where 1 − Π and the one severity round to either side of a draw, one meter in 2^32 would differ.
      { seed: 7 },
    );
  });

  it('takes the voltage of the deepest sag, within 90 to 114 and flagged, and never raises one', () => {
    fc.assert(
      fc.property(fc.array(severity, { minLength: 1, maxLength: 4 }), (severities) => {
        const after = withEvents(severities.map((of) => event('voltage-sag', { severity: of })));
        const deepest = withEvents([event('voltage-sag', { severity: Math.max(...severities) })]);
        expect(after).toEqual(deepest);
        for (const [id, { voltage, qualityFlags, kwh }] of onFeeder(after)) {
          const before = normal.get(id) as Read;
          expect(voltage).toBeGreaterThanOrEqual(90);
          expect(voltage).toBeLessThan(114);
          expect(voltage).toBeLessThanOrEqual(before.voltage);
          expect(Math.abs(voltage - (114 - 24 * Math.max(...severities)))).toBeLessThanOrEqual(
            before.voltage < 114 ? 30 : 0.6,
          );
          expect(qualityFlags).toEqual(['LOW_VOLTAGE']);
          expect(kwh).toBe(before.kwh);
        }
      }),
    );
    const volts = onFeeder(withEvents([event('voltage-sag', { severity: 0.6 })])).map(
      ([, read]) => read.voltage,
    );
    expect(new Set(volts).size).toBeGreaterThan(3);
  });

  it('affects the whole of an hourly read', () => {
    const hourly = { ...base, intervalMinutes: 60 as const };
    const before = byMeter(generateReads(hourly));
    const columns = generateReads(hourly);
    const after = byMeter(applyEvents(columns, [event('theft', { severity: 0.8 })], scene()));
    for (const [id, read] of onFeeder(before)) {
      expect(after.get(id)?.kwh).toBeCloseTo(read.kwh * 0.2, 3);
      expect(after.get(id)?.deliveredKwh).toBe(read.deliveredKwh);
    }
  });
});

describe('selectedMeters', () => {
  const all = metersOfFeeder(base.tenantId, 'FEEDER_7', FLEET);
  const chosen = (meterFraction: number, over: Partial<FeederEvent> = {}, at: Partial<EventScene> = {}) =>
    selectedMeters(event('theft', { meterFraction, ...over }), scene(at));

  it('is everything, what is named and on the feeder, or exactly the share', () => {
    expect(selectedMeters(event('theft'), scene())).toEqual(all);
    const named = event('theft', { meterIds: [all[3] as string, 'DEMO_TENANT-MTR-00001', 'nobody'] });
    expect(selectedMeters(named, scene())).toEqual([all[3]]);
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }), (share) => {
        const meters = chosen(share);
        expect(meters).toHaveLength(Math.max(1, Math.round(share * 50)));
        expect(new Set([...meters, ...all]).size).toBe(50);
      }),
    );
  });

  it('is the same for another event of the type, nested in the share, another for another type or seed', () => {
    expect(chosen(0.2, { id: 'another' })).toEqual(chosen(0.2));
    expect(chosen(0.5)).toEqual(expect.arrayContaining([...chosen(0.1)]));
    expect(new Set(chosen(0.2, { eventType: 'voltage-sag' }))).not.toEqual(new Set(chosen(0.2)));
    expect(new Set(chosen(0.2, {}, { seed: 'another' }))).not.toEqual(new Set(chosen(0.2)));
    const reversed = { metersOfFeeder: () => [...all].reverse() };
    expect(chosen(0.2, {}, reversed)).toEqual(chosen(0.2));
  });

  it('is nothing on a feeder without meters', () => {
    expect(chosen(0.5, { feederId: 'FEEDER_99' })).toEqual([]);
  });
});

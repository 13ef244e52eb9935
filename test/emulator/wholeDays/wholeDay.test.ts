import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODELS } from '../../../src/contracts/emulation.js';
import { INTERVAL_MINUTES } from '../../../src/contracts/limits.js';
import { CLIMATES } from '../../../src/contracts/place.js';
import { PLACE_NAMES } from '../../../src/contracts/places.js';
import { generateReads, generateRegistryReads, type ReadColumns } from '../../../src/emulator/reads.js';
import {
  type DayScene,
  generateRegistryDay,
  generateWholeDay,
  type WholeDay,
} from '../../../src/emulator/wholeDays/wholeDay.js';

const FLAGS = ['', 'LOW_VOLTAGE', 'HIGH_VOLTAGE'];

/** What a day says of each interval, as the single reads have it. */
function readsOf({ meterIds, intervals, received, ...day }: WholeDay, interval: number) {
  const places = meterIds.map((_, meter) => meter * intervals + interval);
  return {
    meterIds,
    kwh: places.map((place) => (day.kwh[place] as number) / 10_000),
    deliveredKwh: places.map((place) => (day.deliveredKwh[place] as number) / 10_000),
    voltage: places.map((place) => (day.voltage[place] as number) / 10),
    flags: places.map((place) => FLAGS[day.flags[place] as number]),
    received: places.map((place, meter) =>
      received?.isMetered[meter] === 1 ? (received.kwh[place] as number) / 10_000 : null,
    ),
  };
}

function singleReads(columns: ReadColumns) {
  const { meterIds, kwh, deliveredKwh, voltage, qualityFlags, receivedKwh } = columns;
  const flags = qualityFlags.map((of) => of.join(' '));
  return {
    ...{ meterIds, kwh, deliveredKwh, voltage, flags },
    received: receivedKwh ?? meterIds.map(() => null),
  };
}

const instantOf = ({ readAt, intervalMinutes }: DayScene, interval: number): Date =>
  new Date(readAt.getTime() + interval * intervalMinutes * 60_000);

const share = fc.constantFrom(0, 0.3, 1);
const behind = fc.record({ pv: share, ev: share, heatPump: share, battery: share });
const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Sydney', 'Asia/Kathmandu'] as const;
/** UTC days on which clocks change in some of the zones, a leap day and turns of the year, and any other. */
const turns = [
  '2026-03-08',
  '2026-11-01',
  '2026-03-29',
  '2026-10-25',
  '2026-04-05',
  '2024-02-29',
  '2025-12-31',
];
const day = fc.oneof(
  fc.constantFrom(...turns).map((text) => Date.parse(text)),
  fc.integer({ min: 10_957, max: 25_000 }).map((at) => at * 86_400_000),
);
/** A span need not begin at midnight nor last a day. */
const scenes = fc
  .record({
    seed: fc.string({ maxLength: 6 }),
    tenantId: fc.constantFrom('ONE', 'TWO'),
    day,
    firstQuarter: fc.integer({ min: 0, max: 23 }),
    intervals: fc.oneof(fc.constant(96), fc.integer({ min: 1, max: 100 })),
    intervalMinutes: fc.constantFrom(...INTERVAL_MINUTES),
    timeZone: fc.constantFrom(...zones),
    climate: fc.constantFrom(...CLIMATES),
    model: fc.constantFrom(...MODELS),
    place: fc.constantFrom(...PLACE_NAMES),
    der: fc.option(behind, { nil: undefined }),
    customers: fc.constantFrom({}, { commercial: 0.35, industrial: 0.04 }, { commercial: 0 }),
  })
  .map(
    ({ day: from, firstQuarter, intervals, der, ...rest }): DayScene => ({
      ...rest,
      ...(der && { der }),
      readAt: new Date(from + firstQuarter * 3_600_000),
      intervals: rest.intervalMinutes === 60 ? Math.ceil(intervals / 4) : intervals,
    }),
  );

describe('a whole day', () => {
  it('is the same to the last digit as its reads made one interval after the other', () => {
    const fleet = { meterCount: 3_000, feederCount: 7 };
    fc.assert(
      fc.property(scenes, fc.integer({ min: 0, max: 2_960 }), (scene, from) => {
        const to = from + 40;
        const whole = generateWholeDay(scene, fleet, from, to);
        for (let interval = 0; interval < scene.intervals; interval += 1) {
          const single = generateReads({ ...scene, fleet, from, to, readAt: instantOf(scene, interval) });
          expect(readsOf(whole, interval)).toEqual(singleReads(single));
        }
      }),
      { numRuns: 90 },
    );
  });

  it('is so for meters of a registry', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 });
    const batch = fc.record({
      syntheticFeederCount: fc.constantFrom(null, 5),
      runs: fc.array(fc.record({ feederId: fc.constantFrom('FEEDER_1', 'F-OLD'), meterIds: names }), {
        minLength: 1,
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(scenes, batch, (scene, meters) => {
        const whole = generateRegistryDay(scene, meters);
        for (let interval = 0; interval < scene.intervals; interval += 7) {
          const single = generateRegistryReads({ ...scene, readAt: instantOf(scene, interval) }, meters);
          expect(readsOf(whole, interval)).toEqual(singleReads(single));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has anomalies of voltage where single reads have them', () => {
    const fleet = { meterCount: 4_000, feederCount: 4 };
    const scene = {
      ...{ tenantId: 'ONE', seed: 's', intervalMinutes: 15 as const, intervals: 96 },
      readAt: new Date('2026-05-11T00:00:00Z'),
    };
    const whole = generateWholeDay(scene, fleet, 0, 4_000);
    const flagged = whole.flags.filter((flag) => flag > 0).length;
    expect(flagged).toBeGreaterThan(50);
    for (const interval of [0, 31, 62, 95]) {
      const single = generateReads({
        ...scene,
        fleet,
        from: 0,
        to: 4_000,
        readAt: instantOf(scene, interval),
      });
      expect(readsOf(whole, interval)).toEqual(singleReads(single));
    }
  });

  it('has nothing where no meter is asked for', () => {
    const scene = { tenantId: 'ONE', seed: 's', intervalMinutes: 15 as const, intervals: 96 };
    const nobody = generateRegistryDay(
      { ...scene, readAt: new Date('2026-05-11T00:00:00Z') },
      { syntheticFeederCount: null, runs: [] },
    );
    expect(nobody.kwh).toHaveLength(0);
  });
});

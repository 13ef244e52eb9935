import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type RegistryBatch,
  registryRuns,
  syntheticFeederCount,
} from '../../src/emulator/fleet/registryMeters.js';
import {
  feederId,
  feederRuns,
  meterId,
  meterNumber,
  metersOfFeeder,
} from '../../src/emulator/fleet/syntheticFleet.js';
import {
  generateReads,
  generateRegistryReads,
  type ReadColumns,
  type ReadsScene,
} from '../../src/emulator/reads.js';

const scene: ReadsScene = {
  tenantId: 'DEMO_TENANT',
  seed: 'a seed',
  readAt: new Date('2026-01-15T18:00:00Z'),
  intervalMinutes: 15,
};

/** A registry of the synthetic fleet's meters, on its feeders. */
function syntheticRegistry(fleet: { meterCount: number; feederCount: number }): RegistryBatch {
  const runs = feederRuns(fleet, 0, fleet.meterCount).map((run) => ({
    feederId: feederId(run.feeder),
    meterIds: metersOfFeeder(scene.tenantId, feederId(run.feeder), fleet),
  }));
  return { syntheticFeederCount: fleet.feederCount, runs };
}

function byMeter(columns: ReadColumns): Map<string, unknown[]> {
  return new Map(
    columns.meterIds.map((id, index) => [
      id,
      [
        columns.feederIds[index],
        columns.kwh[index],
        columns.deliveredKwh[index],
        columns.voltage[index],
        columns.qualityFlags[index],
      ],
    ]),
  );
}

/** Meters of both kinds, by feeder: a customer's names, the synthetic fleet's, and those on a feeder not theirs. */
const registry = new Map<string, string[]>(
  ['FEEDER_1', 'FEEDER_2', 'NORTH', '7'].map((feeder, place) => [
    feeder,
    Array.from({ length: 40 }, (_, index) =>
      index % 3 === 0
        ? meterId(scene.tenantId, meterNumber(1 + (place % 2), index, 25))
        : `${feeder}:${index}`,
    ),
  ]),
);
const batchOf = (feeders: Map<string, string[]>, count: number | null = 25): RegistryBatch => ({
  syntheticFeederCount: count,
  runs: [...feeders].map(([feeder, meterIds]) => ({ feederId: feeder, meterIds })),
});
const readsOf = (batch: RegistryBatch, over: Partial<ReadsScene> = {}) =>
  byMeter(generateRegistryReads({ ...scene, ...over }, batch));

describe('reads of a registry', () => {
  it('are the synthetic fleet’s, to the bit, for its meters on its feeders', () => {
    for (const fleet of [
      { meterCount: 500, feederCount: 25 },
      { meterCount: 311, feederCount: 13 },
      { meterCount: 7, feederCount: 40 },
    ]) {
      for (const intervalMinutes of [15, 60] as const) {
        const place = { intervalMinutes, timeZone: 'America/New_York', climate: 'germany' } as const;
        const synthetic = generateReads({ ...scene, ...place, fleet, from: 0, to: fleet.meterCount });
        expect(generateRegistryReads({ ...scene, ...place }, syntheticRegistry(fleet))).toEqual(synthetic);
      }
    }
  });

  it('depend on the meter and its feeder alone: not on the batch, the order, or what else there is', () => {
    const all = [...registry].flatMap(([feeder, meters]) => meters.map((meter) => ({ feeder, meter })));
    const alone = (feeder: string, meter: string) =>
      readsOf(batchOf(new Map([[feeder, [meter]]]))).get(meter);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 1 }), (some) => {
        const feeders = new Map<string, string[]>();
        for (const { feeder, meter } of some) feeders.set(feeder, [...(feeders.get(feeder) ?? []), meter]);
        const columns = generateRegistryReads(scene, batchOf(feeders));
        expect(columns.meterIds).toHaveLength(some.length);
        columns.meterIds.forEach((meter, index) => {
          const feeder = columns.feederIds[index] as string;
          const { kwh, deliveredKwh, voltage, qualityFlags } = columns;
          expect([feeder, kwh[index], deliveredKwh[index], voltage[index], qualityFlags[index]]).toEqual(
            alone(feeder, meter),
          );
        });
      }),
      { numRuns: 20 },
    );
  });

  it('are the same however often and in whatever order they are asked for, under any seed', () => {
    const batch = batchOf(registry);
    const requests = ['a', 'b', 'a', 'c', 'b'].map((seed) => ({ seed }));
    const first = requests.map((request) => readsOf(batch, request));
    expect(requests.map((request) => readsOf(batchOf(registry), request))).toEqual(first);
    expect(first[0]).toEqual(first[2]);
    expect(first[0]).not.toEqual(first[1]);
  });

  it('change with the feeder a meter is moved to, but the customer stays', () => {
    const on = (feeder: string) => batchOf(new Map([[feeder, ['M1']]]), null);
    expect(readsOf(on('NORTH'))).not.toEqual(readsOf(on('SOUTH')));
    const key = (feeder: string) => registryRuns('s', 'T', on(feeder))[0]?.on.meter(0).customer.key;
    expect(key('NORTH')).toBe(key('SOUTH'));
  });

  it('look like a fleet’s: classes, places and voltages vary, feeder by feeder and meter by meter', () => {
    const feeders = new Map(
      Array.from({ length: 20 }, (_, feeder) => [
        `circuit ${feeder}`,
        Array.from({ length: 500 }, (_, meter) => `S/N ${feeder * 500 + meter}`),
      ]),
    );
    const batch = batchOf(feeders, null);
    const meters = registryRuns('s', 'T', batch).flatMap(({ on, count }) =>
      Array.from({ length: count }, (_, ordinal) => on.meter(ordinal)),
    );
    const homes = meters.filter(({ customer }) => customer.customerClass === 'residential').length;
    expect(homes / meters.length).toBeGreaterThan(0.8);
    expect(homes / meters.length).toBeLessThan(0.93);
    expect(new Set(meters.slice(0, 500).map(({ transformer }) => transformer)).size).toBeGreaterThan(110);
    const reads = generateRegistryReads(scene, batch);
    const outside = reads.voltage.filter((volts) => volts < 118 || volts > 124).length;
    expect(outside / reads.voltage.length).toBeLessThan(0.03);
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    const loss = 1 - sum(reads.kwh) / sum(reads.deliveredKwh);
    expect(loss).toBeGreaterThan(0.03);
    expect(loss).toBeLessThan(0.1);
  });
});

describe('the synthetic fleet behind a registry', () => {
  const meters = (count: number, feederCount: number, tenantId = 'T') =>
    Array.from({ length: count }, (_, index) => ({
      meterId: meterId(tenantId, index + 1),
      feederId: feederId((index % feederCount) + 1),
    }));

  it('is found by the meters that stand where it has them', () => {
    for (const feederCount of [10, 13, 25, 40])
      expect(syntheticFeederCount('T', meters(500, feederCount))).toBe(feederCount);
    expect(syntheticFeederCount('T', meters(25_000, 17))).toBe(17);
  });

  it('stays when meters are moved or added by hand', () => {
    const moved = meters(500, 25).map((meter, index) =>
      index % 10 === 0 ? { ...meter, feederId: 'FEEDER_31' } : meter,
    );
    const added = [...moved, { meterId: 'T-MTR-99999', feederId: 'FEEDER_26' }];
    expect(syntheticFeederCount('T', added)).toBe(25);
  });

  it('is the default one where many would do, and none for names of any other make', () => {
    expect(syntheticFeederCount('T', meters(5, 25))).toBe(25);
    expect(syntheticFeederCount('T', meters(30, 25).slice(0, 12))).toBe(25);
    expect(syntheticFeederCount('T', meters(500, 25, 'OTHER'))).toBeNull();
    expect(syntheticFeederCount('T', [{ meterId: 'T-MTR-42', feederId: 'FEEDER_17' }])).toBeNull();
    expect(syntheticFeederCount('T', [{ meterId: 'T-MTR-00042', feederId: 'F17' }])).toBeNull();
    expect(syntheticFeederCount('T', [])).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feederRuns, feederSize, meterId, meterNumber } from '../../src/emulator/fleet/syntheticFleet.js';

const fleets = fc.record({
  meterCount: fc.integer({ min: 1, max: 2_000 }),
  feederCount: fc.integer({ min: 10, max: 40 }),
});

/** Every meter number in the order of the fleet's line. */
function line(fleet: { meterCount: number; feederCount: number }, from: number, to: number): number[] {
  return feederRuns(fleet, from, to).flatMap((run) =>
    Array.from({ length: run.count }, (_, index) =>
      meterNumber(run.feeder, run.firstOrdinal + index, fleet.feederCount),
    ),
  );
}

describe('the synthetic fleet', () => {
  it('names meters and feeders as the brief does', () => {
    expect(meterId('DEMO_TENANT', 1)).toBe('DEMO_TENANT-MTR-00001');
    expect(meterId('DEMO_TENANT', 25_000)).toBe('DEMO_TENANT-MTR-25000');
  });

  it('puts every meter into the line exactly once, on the feeder of decision 4', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const meters = line(fleet, 0, fleet.meterCount);
        expect([...meters].sort((a, b) => a - b)).toEqual(
          Array.from({ length: fleet.meterCount }, (_, index) => index + 1),
        );
        for (const run of feederRuns(fleet, 0, fleet.meterCount)) {
          const meter = meterNumber(run.feeder, run.firstOrdinal, fleet.feederCount);
          expect(((meter - 1) % fleet.feederCount) + 1).toBe(run.feeder);
        }
      }),
    );
  });

  it('cuts the line anywhere without losing or repeating a meter', () => {
    fc.assert(
      fc.property(fleets, fc.nat(2_000), (fleet, at) => {
        const whole = line(fleet, 0, fleet.meterCount);
        expect([...line(fleet, 0, at), ...line(fleet, at, fleet.meterCount)]).toEqual(whole);
      }),
    );
  });

  it('spreads meters evenly, sizes differing by at most one', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const sizes = Array.from({ length: fleet.feederCount }, (_, index) => feederSize(index + 1, fleet));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(fleet.meterCount);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives two runs of one feeder each where 25 × 1,000 meters are cut by 500', () => {
    const fleet = { meterCount: 25_000, feederCount: 25 };
    for (let batch = 0; batch < 50; batch += 1) {
      const runs = feederRuns(fleet, batch * 500, (batch + 1) * 500);
      expect(runs).toEqual([
        { feeder: Math.floor(batch / 2) + 1, firstOrdinal: (batch % 2) * 500, count: 500 },
      ]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { meteredFeeder } from '../../src/emulator/fleet/meters.js';
import { generateReads, type ReadColumns, type ReadsRequest } from '../../src/emulator/reads.js';

const FEEDERS = 10;
const PER_FEEDER = 300;
const base: ReadsRequest = {
  tenantId: 'DEMO_TENANT',
  seed: 'grid',
  fleet: { meterCount: FEEDERS * PER_FEEDER, feederCount: FEEDERS },
  from: 0,
  to: FEEDERS * PER_FEEDER,
  readAt: new Date('2026-01-01T00:00:00Z'),
  intervalMinutes: 15,
};

/** One week of July, every third quarter hour. */
const instants: ReadColumns[] = Array.from({ length: 224 }, (_, index) =>
  generateReads({ ...base, readAt: new Date(Date.UTC(2026, 6, 13) + index * 45 * 60_000) }),
);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** The columns' part of one feeder (from 0): batches keep the line's order. */
const part = <T>(column: readonly T[], feeder: number): T[] =>
  column.slice(feeder * PER_FEEDER, (feeder + 1) * PER_FEEDER);

const load = (reads: ReadColumns, feeder: number): number => sum(part(reads.deliveredKwh, feeder));
const loss = (reads: ReadColumns, feeder: number): number =>
  1 - sum(part(reads.kwh, feeder)) / load(reads, feeder);

const everyFeeder = Array.from({ length: FEEDERS }, (_, feeder) => feeder);

/** A feeder's instants, the tenth with least load and the tenth with most. */
function byLoad(feeder: number): { low: ReadColumns[]; high: ReadColumns[] } {
  const sorted = [...instants].sort((one, other) => load(one, feeder) - load(other, feeder));
  return { low: sorted.slice(0, 22), high: sorted.slice(-22) };
}

describe('a feeder', () => {
  it.each(everyFeeder)(
    '%i loses a greater share at high load than at low, within bounds always',
    (feeder) => {
      const { low, high } = byLoad(feeder);
      expect(mean(high.map((reads) => loss(reads, feeder)))).toBeGreaterThan(
        1.1 * mean(low.map((reads) => loss(reads, feeder))),
      );
      for (const reads of instants) {
        expect(loss(reads, feeder)).toBeGreaterThan(0.015);
        expect(loss(reads, feeder)).toBeLessThan(0.13);
      }
    },
  );

  it.each(everyFeeder)('%i has a lower voltage at high load', (feeder) => {
    const { low, high } = byLoad(feeder);
    const volts = (several: ReadColumns[]) => mean(several.flatMap((reads) => part(reads.voltage, feeder)));
    expect(volts(high)).toBeLessThan(volts(low) - 0.1);
  });

  it('gives all its meters the same loss at an instant, but for distance and measuring', () => {
    const reads = instants[100] as ReadColumns;
    const shares = reads.kwh.slice(0, PER_FEEDER).flatMap((kwh, meter) =>
      // Rounding to 0.1 Wh tells in the smallest reads.
      kwh > 0.1 ? [1 - kwh / (reads.deliveredKwh[meter] as number)] : [],
    );
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(0.012);
  });

  it('has a lower voltage far from the substation', () => {
    for (const feeder of everyFeeder) {
      const { meter } = meteredFeeder(base.seed, base.tenantId, feeder + 1, FEEDERS);
      const volts = (near: boolean) =>
        mean(
          instants.flatMap((reads) =>
            part(reads.voltage, feeder).filter((_, ordinal) => meter(ordinal).distance < 0.5 === near),
          ),
        );
      expect(volts(false)).toBeLessThan(volts(true) - 0.1);
    }
  });

  it('differs from the others in its customers, its loss and its voltage', () => {
    const levels = (of: (reads: ReadColumns, feeder: number) => number) =>
      everyFeeder.map((feeder) => mean(instants.map((reads) => of(reads, feeder))));
    const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
    expect(spread(levels(loss))).toBeGreaterThan(0.008);
    expect(spread(levels((reads, feeder) => mean(part(reads.voltage, feeder))))).toBeGreaterThan(0.2);
    const means = levels(load);
    expect(Math.max(...means)).toBeGreaterThan(1.5 * Math.min(...means));
  });
});

describe('anomalies of voltage', () => {
  /** How many anomalous reads each group of neighbours has at each instant. */
  function counts(groupSize: number): number[] {
    return instants.flatMap((reads) =>
      Array.from({ length: Math.ceil((FEEDERS * PER_FEEDER) / groupSize) }, (_, group) =>
        reads.qualityFlags
          .slice(group * groupSize, (group + 1) * groupSize)
          .reduce((flagged, flags) => flagged + (flags.length > 0 ? 1 : 0), 0),
      ),
    );
  }

  it('are rare and come to neighbours together', () => {
    const perFeeder = counts(PER_FEEDER);
    const average = mean(perFeeder);
    expect(average / PER_FEEDER).toBeGreaterThan(0.0001);
    expect(average / PER_FEEDER).toBeLessThan(0.01);
    // Independent anomalies would have a variance equal to their mean (Poisson).
    expect(mean(perFeeder.map((count) => (count - average) ** 2))).toBeGreaterThan(4 * average);
  });

  it('last: an anomalous meter mostly is so three quarter hours later too, far beyond chance', () => {
    let anomalous = 0;
    let still = 0;
    instants.slice(1).forEach((reads, index) => {
      reads.qualityFlags.forEach((flags, meter) => {
        if ((instants[index]?.qualityFlags[meter]?.length ?? 0) === 0) return;
        anomalous += 1;
        if (flags.length > 0) still += 1;
      });
    });
    expect(still / anomalous).toBeGreaterThan(0.5);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from '../../src/emulator/plan.js';
import { generateReads, type ReadsRequest } from '../../src/emulator/reads.js';

const base: ReadsRequest = {
  tenantId: 'DEMO_TENANT',
  seed: 'a seed',
  fleet: { meterCount: 25_000, feederCount: 25 },
  from: 0,
  to: 25_000,
  readAt: new Date('2026-01-15T18:00:00Z'),
  intervalMinutes: 15,
};

interface Read {
  feederId: string;
  kwh: number;
  deliveredKwh: number;
  voltage: number;
  qualityFlags: readonly string[];
}

function byMeter(request: ReadsRequest): Map<string, Read> {
  const columns = generateReads(request);
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

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('generateReads', () => {
  it('makes the same read whatever the batch size, the order of batches, or how often', () => {
    const fleet = { meterCount: 700, feederCount: 13 };
    const whole = byMeter({ ...base, fleet, to: 700 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.infiniteStream(fc.nat()), (size, dice) => {
        const ranges = cut(700, size);
        const shuffled = ranges
          .map((range) => ({ range, rank: dice.next().value as number }))
          .sort((a, b) => a.rank - b.rank);
        const pieces = new Map<string, Read>();
        for (const { range } of [...shuffled, ...shuffled.slice(0, 3)]) {
          for (const [id, read] of byMeter({ ...base, fleet, from: range.from, to: range.to }))
            pieces.set(id, read);
        }
        expect(pieces).toEqual(new Map([...pieces.keys()].map((id) => [id, whole.get(id)])));
        expect(pieces.size).toBe(700);
      }),
      { numRuns: 25 },
    );
  });

  it('keeps a meter and its reads when the fleet grows', () => {
    const small = byMeter({ ...base, fleet: { meterCount: 500, feederCount: 25 }, to: 500 });
    const large = byMeter(base);
    for (const [id, read] of small) expect(large.get(id)).toEqual(read);
  });

  it('differs by seed, by tenant, by meter and by instant', () => {
    const one = generateReads({ ...base, to: 100 }).kwh;
    expect(generateReads({ ...base, to: 100, seed: 'another' }).kwh).not.toEqual(one);
    expect(generateReads({ ...base, to: 100, tenantId: 'OTHER' }).kwh).not.toEqual(one);
    expect(generateReads({ ...base, to: 100, readAt: new Date('2026-01-15T18:15:00Z') }).kwh).not.toEqual(
      one,
    );
    expect(new Set(one).size).toBeGreaterThan(90);
  });

  it('stays inside the brief’s voltage band but for rare flagged anomalies', () => {
    const reads = [...byMeter(base).values()];
    const outside = reads.filter((read) => read.voltage < 118 || read.voltage > 124);
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.length / reads.length).toBeLessThan(0.005);
    for (const read of reads) {
      const expected = read.voltage < 114 ? ['LOW_VOLTAGE'] : read.voltage > 126 ? ['HIGH_VOLTAGE'] : [];
      expect(read.qualityFlags).toEqual(expected);
      expect(read.voltage).toBeGreaterThanOrEqual(110);
      expect(read.voltage).toBeLessThanOrEqual(128);
    }
  });

  it('delivers more than it registers, by the feeder’s 3–6 %', () => {
    const reads = [...byMeter(base).values()];
    for (const feeder of new Set(reads.map((read) => read.feederId))) {
      const own = reads.filter((read) => read.feederId === feeder);
      const delivered = own.reduce((sum, read) => sum + read.deliveredKwh, 0);
      const loss = (delivered - own.reduce((sum, read) => sum + read.kwh, 0)) / delivered;
      expect(loss).toBeGreaterThan(0.029);
      expect(loss).toBeLessThan(0.061);
    }
  });

  it('adds up to a US household a day, with a night trough and an evening peak', () => {
    const quarterHours = Array.from({ length: 96 }, (_, slot) =>
      mean(
        generateReads({ ...base, to: 2_000, readAt: new Date(Date.UTC(2026, 0, 15) + slot * 900_000) }).kwh,
      ),
    );
    const day = quarterHours.reduce((sum, value) => sum + value, 0);
    expect(day).toBeGreaterThan(29.3 * 0.9);
    expect(day).toBeLessThan(29.3 * 1.1);
    expect(quarterHours.indexOf(Math.min(...quarterHours)) / 4).toBeCloseTo(3, -1);
    expect(quarterHours.indexOf(Math.max(...quarterHours)) / 4).toBeGreaterThan(17);
  });

  it('makes an hourly read of the four quarter hours it covers', () => {
    const hour = byMeter({ ...base, to: 200, intervalMinutes: 60 });
    const quarters = [0, 15, 30, 45].map((minute) =>
      byMeter({ ...base, to: 200, readAt: new Date(base.readAt.getTime() + minute * 60_000) }),
    );
    for (const [id, read] of hour) {
      const sum = quarters.reduce((total, quarter) => total + (quarter.get(id)?.kwh ?? 0), 0);
      expect(Math.abs(read.kwh - sum)).toBeLessThan(0.0005);
    }
  });
});

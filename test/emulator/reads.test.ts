import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIMATES } from '../../src/contracts/place.js';
import { meteredFeeder } from '../../src/emulator/fleet/meters.js';
import { generateReads, type ReadsRequest } from '../../src/emulator/reads.js';
import { batchRanges } from '../../src/ledger/batchRange.js';

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
        const ranges = batchRanges({ rangeFrom: 0, rangeTo: 700, batchSize: size });
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

  it('makes the same read at any instant, asked for in any order, whatever was asked before', () => {
    const fleet = { meterCount: 400, feederCount: 11 };
    const zones = ['UTC', 'Asia/Kathmandu', 'America/New_York'] as const;
    const request = fc.record({
      seed: fc.constantFrom('a', 'b'),
      tenantId: fc.constantFrom('ONE', 'TWO'),
      slot: fc.integer({ min: 1_700_000, max: 2_100_000 }),
      timeZone: fc.constantFrom(...zones),
      climate: fc.constantFrom(...CLIMATES),
      from: fc.integer({ min: 0, max: 399 }),
      count: fc.integer({ min: 1, max: 400 }),
    });
    const make = ({ slot, from, count, ...rest }: typeof request extends fc.Arbitrary<infer T> ? T : never) =>
      generateReads({
        ...rest,
        fleet,
        readAt: new Date(slot * 900_000),
        intervalMinutes: 15,
        from,
        to: Math.min(400, from + count),
      });
    fc.assert(
      fc.property(fc.array(request, { minLength: 2, maxLength: 12 }), (requests) => {
        const first = requests.map(make);
        expect(requests.toReversed().map(make).toReversed()).toEqual(first);
      }),
      { numRuns: 40 },
    );
  });

  it('makes the same read when more feeders were asked for than are kept', () => {
    const before = generateReads({ ...base, to: 1_200 });
    for (let tenant = 0; tenant < 12; tenant += 1) {
      generateReads({ ...base, tenantId: `T${tenant}`, fleet: { meterCount: 40, feederCount: 40 }, to: 40 });
    }
    expect(generateReads({ ...base, to: 1_200 })).toEqual(before);
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
    const days = Array.from({ length: 10 }, (_, day) => new Date(Date.UTC(2026, 0, 15 + 30 * day, 18)));
    const reads = days.flatMap((readAt) => [...byMeter({ ...base, readAt }).values()]);
    const outside = reads.filter((read) => read.voltage < 118 || read.voltage > 124);
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.length / reads.length).toBeLessThan(0.005);
    const wrong = reads.filter(({ voltage, qualityFlags }) => {
      const expected = voltage < 114 ? 'LOW_VOLTAGE' : voltage > 126 ? 'HIGH_VOLTAGE' : '';
      return qualityFlags.join() !== expected || voltage < 110 || voltage > 128;
    });
    expect(wrong).toEqual([]);
  });

  it('delivers more than it registers, by a technical loss of a few percent', () => {
    const reads = [...byMeter(base).values()];
    for (const feeder of new Set(reads.map((read) => read.feederId))) {
      const own = reads.filter((read) => read.feederId === feeder);
      const delivered = own.reduce((sum, read) => sum + read.deliveredKwh, 0);
      const loss = (delivered - own.reduce((sum, read) => sum + read.kwh, 0)) / delivered;
      expect(loss).toBeGreaterThan(0.02);
      expect(loss).toBeLessThan(0.11);
    }
  });

  it('registers no negative energy, and hardly ever none', () => {
    const reads = [...byMeter(base).values()];
    expect(Math.min(...reads.map((read) => read.kwh))).toBeGreaterThanOrEqual(0);
    expect(reads.filter((read) => read.kwh < 0.005).length / reads.length).toBeLessThan(0.01);
  });

  it('adds up to a US household a day, with a night trough and an evening peak', () => {
    const homes = Array.from({ length: 4 }, (_, feeder) =>
      meteredFeeder(base.seed, base.tenantId, feeder + 1, 25),
    )
      .flatMap(({ meter }) => Array.from({ length: 1_000 }, (_, ordinal) => meter(ordinal)))
      .map((meter) => meter.customer.customerClass === 'residential');
    const quarterHours = Array.from({ length: 96 }, (_, slot) => {
      const readAt = new Date(Date.UTC(2026, 2, 11) + slot * 900_000);
      return mean(generateReads({ ...base, to: 4_000, readAt }).kwh.filter((_, index) => homes[index]));
    });
    // A weekday in March: about nine tenths of a day of the year's 29.3 kWh.
    const day = quarterHours.reduce((sum, value) => sum + value, 0);
    expect(day).toBeGreaterThan(29.3 * 0.75);
    expect(day).toBeLessThan(29.3 * 1.05);
    expect(Math.abs(quarterHours.indexOf(Math.min(...quarterHours)) / 4 - 3)).toBeLessThan(1.5);
    expect(Math.abs(quarterHours.indexOf(Math.max(...quarterHours)) / 4 - 19)).toBeLessThan(1.5);
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

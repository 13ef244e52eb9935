import { describe, expect, it } from 'vitest';
import type { Network, Oddity } from '../../../src/contracts/emulation.js';
import { applyNetwork, odditiesAt } from '../../../src/emulator/network/applyNetwork.js';
import { isLost } from '../../../src/emulator/network/gaps.js';
import { generateReads, type ReadColumns } from '../../../src/emulator/reads.js';

const METERS = 2_000;
const FLEET = { meterCount: METERS, feederCount: 20 };
const DAY = 86_400_000;
const JUNE = Date.UTC(2026, 5, 1);
const base = { tenantId: 'NET', seed: 'n', intervalMinutes: 15, timeZone: 'Europe/Berlin' } as const;

const plain = (at: number, der = {}): ReadColumns =>
  generateReads({ ...base, readAt: new Date(at), fleet: FLEET, from: 0, to: METERS, der });
/** Reads over a network; all are 1 kWh, delivered and drawn, where their values do not matter. */
const over = (at: number, network: Network, reads = plain(at)): ReadColumns =>
  applyNetwork(reads, network, { ...base, readAt: new Date(at) }, () => plain(at - 900_000));
const only = (...oddities: Oddity[]): Network => ({ oddities });

describe('a network', () => {
  it('loses nothing and changes nothing where nothing is said', () => {
    const reads = plain(JUNE, { pv: 1 });
    expect(over(JUNE, {}, reads)).toBe(reads);
  });

  it.each([
    ['good', 0.0002, 0.0011, 0.5, 0.85],
    ['poor', 0.014, 0.032, 0.85, 0.97],
  ] as const)(
    'of %s quality loses as many reads as measured ones do, in gaps as long, most at few meters',
    (quality, least, most, fewestLong, mostLong) => {
      const slots = 96 * 90;
      const missing: number[] = [];
      let [gaps, alone, long] = [0, 0, 0];
      for (let meter = 0; meter < 600; meter += 1) {
        const key = Math.imul(meter + 1, 0x9e3779b1);
        let [lost, run] = [0, 0];
        for (let slot = 0; slot <= slots; slot += 1) {
          if (slot < slots && isLost(key, slot, quality)) {
            lost += 1;
            run += 1;
          } else if (run > 0) {
            gaps += 1;
            if (run === 1) alone += 1;
            if (run >= 96) long += run;
            run = 0;
          }
        }
        missing.push(lost);
      }
      const total = missing.reduce((sum, lost) => sum + lost, 0);
      expect(total / (600 * slots)).toBeGreaterThan(least);
      expect(total / (600 * slots)).toBeLessThan(most);
      expect(long / total).toBeGreaterThan(fewestLong);
      expect(long / total).toBeLessThan(mostLong);
      expect(alone / gaps).toBeGreaterThan(quality === 'good' ? 0.75 : 0.5);
      const worst = missing
        .sort((a, b) => b - a)
        .slice(0, 60)
        .reduce((sum, lost) => sum + lost, 0);
      expect(worst / total).toBeGreaterThan(0.65);
    },
  );

  it('makes the same of a read whatever batch it comes in', () => {
    const network: Network = { quality: 'poor', oddities: ['stuck', 'clock-drift', 'storm-silence'] };
    const at = JUNE + 40 * 900_000;
    const whole = over(at, network);
    const parts = [
      [0, 700],
      [700, METERS],
    ].map(([from, to]) => {
      const part = (readAt: number) =>
        generateReads({
          ...base,
          readAt: new Date(readAt),
          fleet: FLEET,
          from: from as number,
          to: to as number,
        });
      return applyNetwork(part(at), network, { ...base, readAt: new Date(at) }, () => part(at - 900_000));
    });
    expect(parts.flatMap(({ meterIds }) => meterIds)).toEqual(whole.meterIds);
    expect(parts.flatMap(({ kwh }) => kwh)).toEqual(whole.kwh);
    expect(whole.meterIds.length).toBeLessThan(METERS);
  });
});

describe('storms and laterals', () => {
  /** Every two hours of a year. */
  const instants = Array.from({ length: 365 * 12 }, (_, index) => Date.UTC(2026, 0, 1) + index * 8 * 900_000);
  const light = (reads: ReadColumns): ReadColumns => ({ ...reads });

  it('keep whole laterals silent for some hours, about once a customer and year', () => {
    const reads = light(plain(JUNE));
    let silentReads = 0;
    const feeders = new Set<string>();
    for (const at of instants) {
      const arrived = over(at, only('storm-silence'), reads);
      const missing = METERS - arrived.meterIds.length;
      silentReads += missing;
      if (missing > 0) {
        const there = new Set(arrived.meterIds);
        reads.meterIds.forEach((id, index) => {
          if (!there.has(id)) feeders.add(reads.feederIds[index] as string);
        });
      }
    }
    // Two hours a sample, and some two hours an interruption: a customer misses about one sample a year.
    expect(silentReads / METERS).toBeGreaterThan(0.3);
    expect(silentReads / METERS).toBeLessThan(3);
    expect(feeders.size).toBeGreaterThan(10);
  });

  it('lose minutes of power, in what was drawn and what was delivered alike: no loss, no theft', () => {
    const reads = plain(JUNE + 48 * 900_000);
    let changed = 0;
    for (let quarter = 0; quarter < 96 * 3; quarter += 1) {
      const after = over(JUNE + quarter * 900_000, only('momentary-outages'), reads);
      after.kwh.forEach((kwh, index) => {
        if (kwh === reads.kwh[index]) return;
        changed += 1;
        expect(kwh / (reads.kwh[index] as number)).toBeGreaterThan(0.7);
        if (kwh > 0.02)
          expect(kwh / (after.deliveredKwh[index] as number)).toBeCloseTo(
            (reads.kwh[index] as number) / (reads.deliveredKwh[index] as number),
            2,
          );
      });
    }
    expect(changed / METERS).toBeGreaterThan(0.01);
    expect(changed / METERS).toBeLessThan(0.15);
  });
});

describe('meters that are wrong', () => {
  it('are exchanged in a half hour, and a few then count a thousand times too much or too little for two months', () => {
    const reads = plain(JUNE);
    const factors = new Map<string, Set<number>>();
    let exchanged = 0;
    for (let day = 0; day < 365; day += 1) {
      const at = Date.UTC(2026, 0, 1) + day * DAY + 40 * 900_000;
      exchanged += METERS - over(at, only('meter-exchange'), reads).meterIds.length;
      const after = over(at, only('unit-error'), reads);
      after.kwh.forEach((kwh, index) => {
        const was = reads.kwh[index] as number;
        if (kwh === was || was < 0.1) return;
        const id = after.meterIds[index] as string;
        factors.set(id, (factors.get(id) ?? new Set()).add(Math.round(Math.log10(kwh / was))));
      });
    }
    expect(exchanged / METERS).toBeGreaterThan(0.02);
    expect(exchanged / METERS).toBeLessThan(0.04);
    expect(factors.size).toBeGreaterThan(0);
    expect(factors.size).toBeLessThan(METERS / 100);
    for (const seen of factors.values()) expect([3, -3]).toContain([...seen][0]);
  });

  it('register nothing from when clocks go forward until they go back, in a zone that does', () => {
    const zeros = (at: number, timeZone = 'Europe/Berlin') =>
      applyNetwork(
        plain(at),
        only('zero-since-clock-change'),
        { ...base, timeZone, readAt: new Date(at) },
        () => plain(at),
      ).kwh.filter((kwh) => kwh === 0).length;
    // The last quarter hour before the change of 29 March 2026, and the first after it.
    expect(zeros(Date.UTC(2026, 2, 29, 0, 45))).toBe(0);
    const since = zeros(Date.UTC(2026, 2, 29, 1, 0));
    expect(since).toBeGreaterThan(0);
    expect(since).toBeLessThan(METERS / 100);
    expect(zeros(Date.UTC(2026, 9, 25, 0, 45))).toBe(since);
    expect(zeros(Date.UTC(2026, 9, 25, 1, 0))).toBe(0);
    expect(zeros(JUNE, 'UTC')).toBe(0);
    expect(zeros(Date.UTC(2026, 0, 10), 'Australia/Sydney')).toBeGreaterThan(0);
    expect(zeros(JUNE, 'Australia/Sydney')).toBe(0);
  });

  it('stand still for days at one value, a few in a year', () => {
    const reads = plain(JUNE);
    const stuck = new Map<string, Set<number>>();
    for (let day = 0; day < 365; day += 1) {
      const after = over(Date.UTC(2026, 0, 1) + day * DAY, only('stuck'), reads);
      after.kwh.forEach((kwh, index) => {
        if (kwh === reads.kwh[index]) return;
        const id = after.meterIds[index] as string;
        stuck.set(id, (stuck.get(id) ?? new Set()).add(kwh));
      });
    }
    expect(stuck.size).toBeGreaterThan(1);
    expect(stuck.size).toBeLessThan(METERS / 50);
    for (const values of stuck.values()) expect(values.size).toBe(1);
  });

  it('have clocks that fall behind: a part of the interval before is in this one', () => {
    const at = JUNE + 60 * 900_000;
    const [reads, before, after] = [plain(at), plain(at - 900_000), over(at, only('clock-drift'))];
    const drifted = after.kwh.flatMap((kwh, index) => (kwh === reads.kwh[index] ? [] : [{ kwh, index }]));
    expect(drifted.length).toBeGreaterThan(2);
    const truth = odditiesAt(only('clock-drift', 'stuck'), { ...base, readAt: new Date(at) });
    for (const { index } of drifted)
      expect(truth(reads.meterIds[index] as string, reads.feederIds[index] as string)).toContain(
        'clock-drift',
      );
    expect(drifted.length).toBeLessThan(METERS / 30);
    for (const { kwh, index } of drifted) {
      const [now, then] = [reads.kwh[index] as number, before.kwh[index] as number];
      expect(kwh).toBeGreaterThanOrEqual(Math.min(now, then) - 0.0001);
      expect(kwh).toBeLessThanOrEqual(Math.max(now, then) + 0.0001);
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { Der } from '../../../src/contracts/emulation.js';
import { chargedKwh } from '../../../src/emulator/der/ev.js';
import { sunAt } from '../../../src/emulator/der/sky.js';
import { generateReads, type ReadColumns } from '../../../src/emulator/reads.js';
import { correlation } from '../../realism/statistics.js';

const FLEET = { meterCount: 300, feederCount: 10 };
const SUMMER = Date.UTC(2026, 5, 10);
const scene = { tenantId: 'SUN', seed: 's', place: 'germany', model: 2, timeZone: 'Europe/Berlin' } as const;

function readsAt(at: number, der?: Der, more: object = {}, [from, to] = [0, FLEET.meterCount]): ReadColumns {
  return generateReads({
    ...{ ...scene, readAt: new Date(at), intervalMinutes: 15, fleet: FLEET, from, to },
    ...(der && { der }),
    ...more,
  });
}

const quartersOf = (day: number): number[] => Array.from({ length: 96 }, (_, index) => day + index * 900_000);
const sum = (values: readonly (number | null)[] = []) =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe('what stands behind the meters', () => {
  it('is nothing unless it is asked for: the same reads, without a second channel', () => {
    const plain = readsAt(SUMMER + 12 * 3_600_000);
    expect(readsAt(SUMMER + 12 * 3_600_000, {})).toEqual(plain);
    expect(plain).not.toHaveProperty('receivedKwh');
    expect(readsAt(SUMMER, { ev: 1 })).not.toHaveProperty('receivedKwh');
  });

  it('makes a read the same whatever batch it comes in and whatever was asked before', () => {
    const der = { pv: 0.6, ev: 0.5, heatPump: 0.5, battery: 0.4 };
    const at = SUMMER + 16.75 * 3_600_000;
    const whole = readsAt(at, der);
    quartersOf(SUMMER)
      .reverse()
      .forEach((other) => {
        readsAt(other, der, {}, [0, 40]);
      });
    const again = [readsAt(at, der, {}, [0, 120]), readsAt(at, der, {}, [120, 300])];
    expect(again.flatMap(({ kwh }) => kwh)).toEqual(whole.kwh);
    expect(again.flatMap(({ receivedKwh = [] }) => receivedKwh)).toEqual(whole.receivedKwh);
  });

  it('has a larger share include the homes of a smaller one, and a channel for homes with a roof alone', () => {
    const noon = SUMMER + 11 * 3_600_000;
    const [few, many, all] = [0.2, 0.5, 1].map((pv) => readsAt(noon, { pv }).receivedKwh ?? []);
    const plain = readsAt(noon);
    few?.forEach((value, index) => {
      if (value !== null) expect(many?.[index]).toBe(value);
    });
    const count = (list: readonly (number | null)[] = []) => list.filter((value) => value !== null).length;
    expect(count(few) / count(all)).toBeGreaterThan(0.13);
    expect(count(few) / count(all)).toBeLessThan(0.28);
    expect(count(all)).toBeLessThan(FLEET.meterCount);
    all?.forEach((value, index) => {
      if (value === null) expect(readsAt(noon, { pv: 1 }).kwh[index]).toBe(plain.kwh[index]);
    });
  });

  it('registers in two channels what flows in and out, and delivers to no one who only feeds in', () => {
    const reads = readsAt(SUMMER + 11 * 3_600_000, { pv: 1 });
    const exporting = reads.kwh.flatMap((kwh, index) =>
      (reads.receivedKwh?.[index] ?? 0) > 0 ? [{ kwh, index }] : [],
    );
    expect(exporting.length).toBeGreaterThan(100);
    for (const { kwh, index } of exporting) {
      expect(kwh).toBe(0);
      expect(reads.deliveredKwh[index]).toBe(0);
    }
    reads.kwh.forEach((kwh, index) => {
      if (kwh > 0.01) expect(1 - kwh / (reads.deliveredKwh[index] as number)).toBeGreaterThan(0.01);
    });
  });

  it('sums an hour from its quarters in both channels, with import and export in one hour where both were', () => {
    const hour = readsAt(SUMMER + 5 * 3_600_000, { pv: 1, battery: 0.5 }, { intervalMinutes: 60 });
    const quarters = [0, 1, 2, 3].map((q) =>
      readsAt(SUMMER + 5 * 3_600_000 + q * 900_000, { pv: 1, battery: 0.5 }),
    );
    hour.kwh.forEach((kwh, index) => {
      expect(kwh).toBeCloseTo(sum(quarters.map((quarter) => quarter.kwh[index] ?? 0)), 3);
      expect(hour.receivedKwh?.[index] ?? 0).toBeCloseTo(
        sum(quarters.map((quarter) => quarter.receivedKwh?.[index] ?? 0)),
        3,
      );
    });
  });

  it('follows the sun: dark at night, most at noon, more in June than in December, the other way round in Sydney', () => {
    const fedIn = (day: number, more = {}) =>
      quartersOf(day).map((at) => sum(readsAt(at, { pv: 1 }, more, [0, 60]).receivedKwh));
    const june = fedIn(SUMMER);
    // 22:00 to 02:00 UTC, and 09:00 to 14:00, are night and midday in Germany.
    expect(sum([...june.slice(88), ...june.slice(0, 8)])).toBe(0);
    expect(sum(june.slice(36, 56))).toBeGreaterThan(0.5 * sum(june));
    const sydney = { place: 'australia-nsw', timeZone: 'Australia/Sydney' };
    const year = (more: object) =>
      [11, 5].map((month) =>
        sum([1, 9, 17, 25].flatMap((day) => fedIn(Date.UTC(2026, month, day), more))),
      ) as [number, number];
    const [december, summer] = year({});
    expect(summer).toBeGreaterThan(3 * december);
    const [hot, cool] = year(sydney);
    expect(hot).toBeGreaterThan(1.3 * cool);
  });

  it('has the sun highest at noon by the clock of a fleet that has a climate and no place', () => {
    const noon = quartersOf(SUMMER).map((at) =>
      sum(
        readsAt(at, { pv: 1 }, { place: undefined, model: 1, timeZone: 'UTC', climate: 'us' }, [0, 60])
          .receivedKwh,
      ),
    );
    const centre = sum(noon.map((kwh, index) => kwh * (index + 0.5))) / sum(noon);
    expect(centre / 4).toBeGreaterThan(10.5);
    expect(centre / 4).toBeLessThan(13.5);
  });

  it.each([2, 3])(
    'has a battery move the sun into the evening: less is fed in, less is drawn at night, model %i',
    (model) => {
      const days = [0, 1, 2].map((day) => SUMMER + day * 86_400_000).flatMap(quartersOf);
      const of = (der: Der) => days.map((at) => readsAt(at, der, { model }, [0, 60]));
      const [without, with_] = [of({ pv: 1 }), of({ pv: 1, battery: 1 })];
      const total = (list: ReadColumns[], channel: 'kwh' | 'receivedKwh') =>
        sum(list.map((reads) => sum(reads[channel])));
      const lessOut = total(without, 'receivedKwh') - total(with_, 'receivedKwh');
      const lessIn = total(without, 'kwh') - total(with_, 'kwh');
      expect(lessOut).toBeGreaterThan(0.1 * total(without, 'receivedKwh'));
      // What is saved is what was kept, less what is lost on the way.
      expect(lessIn / lessOut).toBeGreaterThan(0.6);
      expect(lessIn / lessOut).toBeLessThan(0.95);
    },
  );
});

describe('clouds of the third model', () => {
  /** What each meter feeds in, by quarter hours of some days around noon. */
  const passing = () => {
    const noon = [0, 1, 2, 3, 4, 5].flatMap((day) => quartersOf(SUMMER + day * 86_400_000).slice(36, 52));
    return noon.map((at) => readsAt(at, { pv: 1 }, { model: 3 }).receivedKwh ?? []);
  };
  const steps = (values: readonly number[]) =>
    values.slice(1).map((value, at) => value - (values[at] as number));

  it('pass over the roofs of one feeder together, and over those of two feeders in part', () => {
    const reads = passing();
    const perFeeder = FLEET.meterCount / FLEET.feederCount;
    // The roster goes feeder by feeder; each half of a feeder's roofs is a sum that no home shares with the other.
    const half = (feeder: number, from: number) =>
      steps(
        reads.map((kwh) =>
          sum(kwh.slice(feeder * perFeeder + from, feeder * perFeeder + from + perFeeder / 2)),
        ),
      );
    const pairs = [0, 1, 2, 3, 4].map((feeder) => ({
      same: correlation(half(feeder, 0), half(feeder, perFeeder / 2)),
      other: correlation(half(feeder, 0), half(feeder + 5, 0)),
    }));
    const mean = (of: 'same' | 'other') => sum(pairs.map((pair) => pair[of])) / pairs.length;
    expect(mean('same')).toBeGreaterThan(0.8);
    expect(mean('other')).toBeGreaterThan(0.1);
    expect(mean('other')).toBeLessThan(mean('same') - 0.2);
  });
});

describe('the sun', () => {
  it('stands as high at noon as the almanac says, and rises in the east', () => {
    const elevation = (latitude: number, year: number) =>
      (Math.asin(sunAt((latitude * Math.PI) / 180, year, 0.5).up) * 180) / Math.PI;
    const june = (2 * Math.PI * 171) / 365;
    const december = (2 * Math.PI * 354) / 365;
    expect(elevation(51, june)).toBeCloseTo(62.4, 0);
    expect(elevation(51, december)).toBeCloseTo(15.6, 0);
    expect(elevation(-33.9, december)).toBeCloseTo(79.5, 0);
    expect(sunAt(0.89, june, 0.25).east).toBeGreaterThan(0.5);
    expect(sunAt(0.89, june, 0.75).east).toBeLessThan(-0.5);
  });
});

describe('a car', () => {
  /** Sessions of many cars in a year: energy of each unbroken run of quarter hours. */
  const sessions = (quarterKwh: number, perDay: number) => {
    const found: { kwh: number; start: number }[] = [];
    for (let key = 1; key <= 20; key += 1) {
      let open: { kwh: number; start: number } | undefined;
      for (let slot = 0; slot < 96 * 120; slot += 1) {
        const day = Math.floor(slot / 96);
        const days = [day, day - 1].map((one) => ({ day: one, start: one * 96, isWeekend: false }));
        const kwh = chargedKwh({ key: Math.imul(key, 7_919), quarterKwh, sessions: perDay }, slot, days);
        if (kwh > 0) {
          open ??= { kwh: 0, start: slot };
          open.kwh += kwh;
        } else if (open) {
          found.push(open);
          open = undefined;
        }
      }
    }
    return found;
  };

  it('charges as Norwegian cars do: energy of a session, and hours at which they are plugged in', () => {
    const all = sessions(3.7 / 4, 0.3);
    const energy = all.map(({ kwh }) => kwh).sort((a, b) => a - b);
    const at = (share: number) => energy[Math.floor(share * energy.length)] as number;
    expect(at(0.25)).toBeGreaterThan(4.4);
    expect(at(0.25)).toBeLessThan(6.1);
    expect(at(0.5)).toBeGreaterThan(7.9);
    expect(at(0.5)).toBeLessThan(10.4);
    expect(at(0.95)).toBeGreaterThan(29);
    expect(at(0.95)).toBeLessThan(46);
    expect(all.length / (20 * (120 / 7))).toBeCloseTo(2.1, 0);
    const evening = all.filter(({ start }) => start % 96 >= 56 && start % 96 < 88).length / all.length;
    expect(evening).toBeGreaterThan(0.62);
    expect(evening).toBeLessThan(0.78);
  });
});

describe('a heat pump', () => {
  it('draws in winter and hardly in summer, by cycles, and most in the coldest hours of use', () => {
    const added = (day: number) => {
      const [plain, with_] = [undefined, { heatPump: 1 }].map((der) =>
        quartersOf(day).map((at) => readsAt(at, der, {}, [0, 60]).kwh),
      ) as [number[][], number[][]];
      return with_.flatMap((quarter, q) => quarter.map((kwh, index) => kwh - (plain[q]?.[index] ?? 0)));
    };
    const winter = [5, 15, 25].flatMap((day) => added(Date.UTC(2026, 0, day)));
    const summer = added(Date.UTC(2026, 6, 15));
    expect(sum(winter) / 3).toBeGreaterThan(8 * sum(summer));
    // Two kilowatts on average in a German winter at the most, half a kilowatt at the least.
    const kw = (4 * sum(winter)) / (3 * 96 * 52);
    expect(kw).toBeGreaterThan(0.5);
    expect(kw).toBeLessThan(2);
    const running = summer.filter((kwh) => kwh > 0.001).length / summer.length;
    expect(running).toBeLessThan(0.35);
  });
});

import { describe, expect, it } from 'vitest';
import { CLIMATES } from '../../src/contracts/place.js';
import { CUSTOMER_CLASSES, MEAN_KWH_PER_DAY } from '../../src/emulator/customers/customers.js';
import { baselineKwh, expectedKwh } from '../../src/emulator/customers/load.js';
import { localQuarter } from '../../src/emulator/customers/localTime.js';

describe('baselineKwh', () => {
  it('gives a home’s quarter hour: little at night, most in the evening', () => {
    const day = Array.from({ length: 96 }, (_, quarter) => baselineKwh(quarter / 4));
    expect(day.indexOf(Math.min(...day)) / 4).toBe(2.75);
    expect(day.indexOf(Math.max(...day)) / 4).toBe(18.75);
    const total = day.reduce((sum, kwh) => sum + kwh, 0);
    expect(total).toBeGreaterThan(25);
    expect(total).toBeLessThan(35);
  });

  it('is one figure from the beginning of a quarter hour to its end', () => {
    expect(baselineKwh(18.25)).toBe(baselineKwh(18.49));
    expect(baselineKwh(23.99)).toBe(baselineKwh(23.75));
  });
});

describe('expectedKwh', () => {
  it.each(CLIMATES.flatMap((climate) => CUSTOMER_CLASSES.map((itsClass) => [climate, itsClass] as const)))(
    'adds up over a year to the mean customer’s energy: %s, %s',
    (climate, itsClass) => {
      const first = Date.UTC(2026, 0, 1) / 900_000;
      let kwh = 0;
      for (let slot = first; slot < first + 365 * 96; slot += 1) {
        kwh += expectedKwh(climate, itsClass, localQuarter('UTC', slot));
      }
      expect(kwh / 365 / MEAN_KWH_PER_DAY[itsClass]).toBeCloseTo(1, 2);
    },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { powerToKwh, shifted } from '../../src/intervalFiles/decimal.js';

describe('exact decimals', () => {
  it.each([
    ['1234', -3, '1.234'],
    ['0.5', 3, '500'],
    ['000123.4500', 0, '123.45'],
    ['-7', -3, '-0.007'],
    ['.5', 0, '0.5'],
    ['5.', 0, '5'],
    ['-0.000', 0, '0'],
    ['9007199254740993', -3, '9007199254740.993'],
  ])('shifts %s by %i to %s', (text, power, expected) => {
    expect(shifted(text, power)).toBe(expected);
  });

  it.each(['', '.', '1e3', '0x1F', '1,5', ' 1', 'NaN', '--1', '1'.repeat(31)])('refuses %j', (text) => {
    expect(shifted(text, 0)).toBeUndefined();
  });

  it('comes back to the same value by the opposite power, for any number of digits', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.integer({ min: -9, max: 9 }),
        (value, power) => {
          expect(shifted(shifted(String(value), power) as string, -power)).toBe(String(value));
        },
      ),
    );
  });

  it('knows units of energy in any case, and no others', () => {
    expect(['Wh', 'KWH', ' kWh ', 'MWh'].map(powerToKwh)).toEqual([-3, 0, 0, 3]);
    expect(['kW', 'kVArh', 'therm', ''].map(powerToKwh)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEASURES } from '../../../page/core/address.js';
import { csvName, toCsv } from '../../../page/core/csv.js';
import { type EventType, eventsWithin, lanesOf, looksOf, severityWords } from '../../../page/core/events.js';
import { concern, concernColour, isConcerning, shadeColours, shadeOf } from '../../../page/core/scale.js';
import { byNumber, firstShown, indexAt, lastRead, worstOf } from '../../../page/core/series.js';

describe('the scale of colours', () => {
  it.each([
    ['lossPct', 15, 15.1],
    ['completenessPct', 98, 97.9],
    ['minVoltage', 114, 113.9],
  ] as const)('%s is as usual at %d and worth a look at %d', (measure, usual, odd) => {
    expect(isConcerning(measure, usual)).toBe(false);
    expect(isConcerning(measure, odd)).toBe(true);
    expect(isConcerning(measure, null)).toBe(false);
  });

  it('goes from 0 to 1 without a step back, whatever the value', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MEASURES),
        fc.double({ min: -50, max: 250, noNaN: true }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        (measure, value, more) => {
          const [here, there] = [concern(measure, value), concern(measure, value + more)];
          expect(here).toBeGreaterThanOrEqual(0);
          expect(here).toBeLessThanOrEqual(1);
          if (measure === 'lossPct') expect(there).toBeGreaterThanOrEqual(here);
          else expect(there).toBeLessThanOrEqual(here);
        },
      ),
    );
  });

  it('never paints what is worth a look as if it were usual', () => {
    const colours = shadeColours('light');
    for (const measure of MEASURES) {
      for (let value = 0; value <= 130; value += 0.05) {
        const isOrange = shadeOf(concern(measure, value)) > 50;
        expect(isOrange).toBe(isConcerning(measure, value));
        expect(colours[shadeOf(concern(measure, value))]).toHaveLength(3);
      }
    }
  });

  it.each(['light', 'dark'] as const)('has a lightness of its own for each stop (%s)', (theme) => {
    const lightness = [0, 0.5, 0.55, 0.8, 1].map((at) => {
      const parts = concernColour(at, theme).match(/\d+/g)?.map(Number) ?? [];
      return 0.3 * (parts[0] ?? 0) + 0.59 * (parts[1] ?? 0) + 0.11 * (parts[2] ?? 0);
    });
    for (const [index, one] of lightness.entries())
      for (const other of lightness.slice(index + 1)) expect(Math.abs(one - other)).toBeGreaterThan(8);
  });
});

describe('events', () => {
  it('of a type that only the customer knows show by its name', () => {
    expect(looksOf('theft')).toMatchObject({ name: 'Theft', letter: 'T' });
    expect(looksOf('maintenance')).toMatchObject({ name: 'maintenance', letter: '•' });
    expect(severityWords('maintenance' as EventType, 0.5)).toBe('50 % severity');
  });
});

describe('series', () => {
  it('leave out what was not read before, but show at least a few intervals', () => {
    const column = [...Array(90).fill(null), 1, 2, 3, 4, 5, 6];
    expect(firstShown([column], 96)).toBe(84);
    expect(firstShown([[null, 1, ...Array(94).fill(2)]], 96)).toBe(0);
    expect(firstShown([[...Array(20).fill(null), ...Array(76).fill(2)], column], 96)).toBe(19);
    expect(firstShown([Array(96).fill(null)], 96)).toBe(84);
    expect(firstShown([[1, 2]], 2)).toBe(0);
  });

  it('are found by time', () => {
    expect([9, 10, 19, 20, 99].map((at) => indexAt([10, 20, 30], at))).toEqual([-1, 0, 0, 1, 2]);
  });

  it('are ordered by number, and by their worst value', () => {
    expect(['F_10', 'F_9', 'F_1'].toSorted(byNumber)).toEqual(['F_1', 'F_9', 'F_10']);
    const rows = [
      [1, 9],
      [null, null],
      [50, 1],
      [8, null],
    ];
    expect(
      worstOf(
        rows,
        (row) => row,
        (a, b) => a > b,
        2,
      ),
    ).toEqual([
      [50, 1],
      [1, 9],
    ]);
    expect(
      worstOf(
        rows,
        (row) => row,
        (a, b) => a < b,
        9,
      ),
    ).toEqual([
      [1, 9],
      [50, 1],
      [8, null],
    ]);
    expect(lastRead([1, 2, null])).toBe(2);
  });
});

describe('events', () => {
  const event = (from: number, to: number) => ({
    startAt: new Date(from).toISOString(),
    endAt: new Date(to).toISOString(),
  });

  it('that overlap have lanes of their own, as many as overlap at once', () => {
    const { lanes, count } = lanesOf([event(5, 9), event(0, 6), event(6, 8), event(10, 12)]);
    expect(count).toBe(2);
    expect(lanes).toEqual([1, 0, 0, 0]);
    expect(lanesOf([])).toEqual({ lanes: [], count: 0 });
  });

  it('belong to a span that they touch, and not to one that begins as they end', () => {
    expect(eventsWithin([event(0, 10)], 10, 20)).toEqual([]);
    expect(eventsWithin([event(0, 10)], 9, 20)).toHaveLength(1);
    expect(eventsWithin([event(20, 30)], 10, 20)).toEqual([]);
  });
});

describe('CSV', () => {
  it('quotes what needs it, and leaves a gap for what was not read', () => {
    expect(
      toCsv(
        ['start', 'loss (%)'],
        [
          ['a,"b"', 1.5],
          ['c\nd', null],
        ],
      ),
    ).toBe('start,loss (%)\r\n"a,""b""",1.5\r\n"c\nd",\r\n');
  });

  it('is no formula for a spreadsheet, and numbers stay numbers', () => {
    expect(toCsv(['x'], [['=1+1'], ['@SUM'], [-5]])).toBe("x\r\n'=1+1\r\n'@SUM\r\n-5\r\n");
  });

  it('has a file name that every file system takes', () => {
    expect(csvName('lossPct', 'Nördlich/der "Stadt"', '2026-11-28')).toBe(
      'lossPct-Nördlich-der-Stadt--2026-11-28.csv',
    );
  });
});

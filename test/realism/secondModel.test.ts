import { describe, expect, it } from 'vitest';
import { line } from './bands.js';
import { homeStatistics } from './homes/homeStatistics.js';
import { measureHomes } from './homes/measureHomes.js';
import { realHomes } from './homes/realHomes.js';
import { measureLevel, outside } from './homes/secondModel.js';
import { toldApart } from './homes/twoSample.js';

/** A short form of what `npm run realism` holds the second model of customers to. */
describe('the second model of customers', () => {
  it('cannot be told from London’s homes by a plain classifier, and its homes differ as these do', () => {
    const figures = measureHomes('uk', '1', 70).filter(({ what }) => /^(told|standard)/.test(what));
    expect(figures).toHaveLength(4);
    expect(outside(figures).map(line)).toEqual([]);
  });

  it('keeps level, loss and voltage in the bands of the first', () => {
    expect(outside(measureLevel('us-south', '1', 2_000, 3)).map(line)).toEqual([]);
  });

  it('is judged by a classifier that tells London from California and not from itself', () => {
    const [london, california] = [realHomes('london'), realHomes('california')].map((homes) =>
      homes.map(homeStatistics),
    ) as [ReturnType<typeof homeStatistics>[], ReturnType<typeof homeStatistics>[]];
    expect(toldApart(london, california)).toBeGreaterThan(0.75);
    expect(
      toldApart(
        london.filter((_, at) => at % 2 === 0),
        london.filter((_, at) => at % 2 === 1),
      ),
    ).toBeLessThan(0.65);
  });
});

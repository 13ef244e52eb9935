import { describe, expect, it } from 'vitest';
import { decideConcurrency } from '../../src/writing/adaptiveConcurrency.js';

const writes = (ms: number, count = 20) => Array.from({ length: count }, () => ms);

describe('decideConcurrency', () => {
  it('goes up by one while writes are fast, to 10 and no further', () => {
    let concurrency = 8;
    const path = [1, 2, 3].map(() => {
      concurrency = decideConcurrency(concurrency, writes(10)).concurrency;
      return concurrency;
    });
    expect(path).toEqual([9, 10, 10]);
  });

  it('goes down by a factor when writes are slow, to 5 and no further, and says why', () => {
    expect(decideConcurrency(10, writes(400))).toEqual({
      concurrency: 7,
      reason: 'writes slow: p90 400 ms over 150 ms',
    });
    expect(decideConcurrency(7, writes(400)).concurrency).toBe(5);
    expect(decideConcurrency(5, writes(400))).toEqual({ concurrency: 5 });
  });

  it('stays between the two, and when too few writes tell anything', () => {
    expect(decideConcurrency(8, writes(100))).toEqual({ concurrency: 8 });
    expect(decideConcurrency(8, writes(1_000, 3))).toEqual({ concurrency: 8 });
    expect(decideConcurrency(8, [])).toEqual({ concurrency: 8 });
  });

  it('judges by the slow tail, not by one outlier', () => {
    expect(decideConcurrency(8, [...writes(10, 19), 5_000]).concurrency).toBe(9);
    expect(decideConcurrency(8, [...writes(10, 16), ...writes(500, 4)]).concurrency).toBe(5);
  });
});

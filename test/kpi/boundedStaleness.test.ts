import { beforeAll, describe, expect, it } from 'vitest';
import { createBoundedStaleness } from '../../src/kpi/boundedStaleness.js';
import type { StaleMetersBuckets } from '../../src/kpi/staleness.js';
import { deployBudget } from '../support/answerBudget.js';

const AT = new Date('2026-06-01T10:00:00Z');
const INTERVALS = { latest: AT, settled: AT, latestDay: '2026-06-01', latestReadAt: AT, timeZone: 'UTC' };
const FOUND: StaleMetersBuckets = { current: 1, staleOver15m: 2, staleOver1h: 3, staleOver24h: 4 };

describe('a count of silent meters that takes long', () => {
  beforeAll(deployBudget);

  /** Counts that end when they are told to. */
  const counts = () => {
    const ends: ((found?: StaleMetersBuckets) => void)[] = [];
    const count = () =>
      new Promise<StaleMetersBuckets>((resolve, reject) => {
        ends.push((found) => (found ? resolve(found) : reject(new Error('lost'))));
      });
    return { ends, staleness: createBoundedStaleness({} as never, count) };
  };

  it('H3: leaves its number out of the answer, and is kept for the next caller', async () => {
    const { ends, staleness } = counts();
    expect(await staleness('A', 'tag', INTERVALS)).toEqual({
      staleMetersBuckets: null,
      staleMetersReference: AT,
      warnings: [expect.stringContaining('still being counted')],
    });
    // The second caller waits for the same count.
    const second = staleness('A', 'tag', INTERVALS);
    ends[0]?.(FOUND);
    expect(await second).toEqual({ staleMetersBuckets: FOUND, staleMetersReference: AT });
    expect(await staleness('A', 'tag', INTERVALS)).toEqual(await second);
    expect(ends).toHaveLength(1);
  });

  it('H3: runs once per tenant, while tags come and go', async () => {
    const { ends, staleness } = counts();
    const late = await Promise.all(['1', '2', '3', '3'].map((tag) => staleness('A', tag, INTERVALS)));
    expect(late.map(({ staleMetersBuckets }) => staleMetersBuckets)).toEqual([null, null, null, null]);
    expect(ends).toHaveLength(1);
    // The tags that waited begin nothing: their callers have gone.
    ends[0]?.(FOUND);
    expect((await staleness('A', '1', INTERVALS)).staleMetersBuckets).toEqual(FOUND);
    expect(ends).toHaveLength(1);
    const other = staleness('B', '1', INTERVALS);
    expect(ends).toHaveLength(2);
    ends[1]?.(FOUND);
    expect((await other).staleMetersBuckets).toEqual(FOUND);
  });
});

import { describe, expect, it } from 'vitest';
import { joinedRuns } from '../../src/timing/joinedRuns.js';

describe('joined runs', () => {
  it('does the work once for all who ask before it ends, and anew for who asks after it', async () => {
    const ends: ((value: number) => void)[] = [];
    const run = joinedRuns(() => new Promise<number>((resolve) => ends.push(resolve)));
    const first = [run(), run(), run()];
    expect(ends).toHaveLength(1);
    ends[0]?.(1);
    expect(await Promise.all(first)).toEqual([1, 1, 1]);
    const second = run();
    ends[1]?.(2);
    expect(await second).toBe(2);
  });

  it('tells all who ask of a failure, and tries anew for the next', async () => {
    let tries = 0;
    const run = joinedRuns(async () => {
      tries += 1;
      if (tries === 1) throw new Error('no answer');
      return tries;
    });
    const outcomes = await Promise.allSettled([run(), run()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await run()).toBe(2);
  });
});

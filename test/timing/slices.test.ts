import { describe, expect, it } from 'vitest';
import { createSlices } from '../../src/timing/slices.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('slices', () => {
  it('let so many go on in each turn of the event loop, in their order', async () => {
    const slice = createSlices(2);
    const gone: number[] = [];
    for (const one of [0, 1, 2, 3, 4]) void slice().then(() => gone.push(one));
    const seen: number[] = [];
    for (let turns = 0; turns < 4; turns += 1) {
      await turn();
      seen.push(gone.length);
    }
    expect(seen).toEqual([2, 4, 5, 5]);
    expect(gone).toEqual([0, 1, 2, 3, 4]);
  });

  it('let something else happen between two of them', async () => {
    const slice = createSlices(1);
    const order: string[] = [];
    const all = Promise.all(['a', 'b', 'c'].map((one) => slice().then(() => order.push(one))));
    await turn();
    order.push('else');
    await all;
    expect(order).toEqual(['a', 'else', 'b', 'c']);
  });

  it('begin anew when nobody waits any more', async () => {
    const slice = createSlices(1);
    await slice();
    await slice();
    await Promise.all([slice(), slice()]);
  });
});

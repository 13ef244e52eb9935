import { describe, expect, it } from 'vitest';
import { createBatchSlots } from '../../src/pacing/batchSlots.js';

/** Whether a live batch that asked has its place by now. */
async function isIn(entering: Promise<boolean>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([entering, Promise.resolve(false)]);
}

describe('the room of a process', () => {
  it('is one for both lanes: live batches wait for a place, background ones ask again', async () => {
    const slots = createBatchSlots(() => 2);
    expect(await slots.enter('background')).toBe(true);
    expect(await slots.enter('live')).toBe(true);
    expect(await slots.enter('background')).toBe(false);
    const first = slots.enter('live');
    const second = slots.enter('live');
    expect(await isIn(first)).toBe(false);
    slots.leave();
    expect(await isIn(first)).toBe(true);
    // The place is the live batch's that waits, not the background's that asks.
    expect(await slots.enter('background')).toBe(false);
    expect(await isIn(second)).toBe(false);
    slots.leave();
    expect(await isIn(second)).toBe(true);
  });

  it('follows the concurrency: one that grows lets those in that wait, one that shrinks sends nobody out', async () => {
    let size = 1;
    const slots = createBatchSlots(() => size);
    expect(await slots.enter('live')).toBe(true);
    const waiting = slots.enter('live');
    expect(await isIn(waiting)).toBe(false);
    size = 3;
    expect(await slots.enter('background')).toBe(true);
    expect(await isIn(waiting)).toBe(true);
    size = 1;
    slots.leave();
    expect(await slots.enter('background')).toBe(false);
    slots.leave();
    slots.leave();
    expect(await slots.enter('background')).toBe(true);
  });
});

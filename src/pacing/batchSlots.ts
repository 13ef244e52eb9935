import type { Lane } from '../contracts/batchJob.js';

/**
 * The places for batches that a process runs at once, over both lanes. A batch holds one from its turn until it is
 * written.
 */
export interface BatchSlots {
  /**
   * Takes a place. A live batch waits until there is one; a background batch is told at once whether there is, and
   * never takes one that a live batch waits for.
   */
  enter(lane: Lane): Promise<boolean>;
  /** Gives back a place that was taken. */
  leave(): void;
}

/** As many places as are asked for. */
export const BOUNDLESS: BatchSlots = { enter: async () => true, leave: () => undefined };

/** @param size how many places there are at the moment. Batches that hold one when their number shrinks keep it. */
export function createBatchSlots(size: () => number): BatchSlots {
  let taken = 0;
  const waiting: (() => void)[] = [];

  const admit = (): void => {
    while (waiting.length > 0 && taken < size()) {
      taken += 1;
      waiting.shift()?.();
    }
  };
  return {
    async enter(lane) {
      if (lane === 'background') {
        // There may be more places than before: live batches that wait go first.
        admit();
        if (taken >= size()) return false;
        taken += 1;
        return true;
      }
      await new Promise<void>((placed) => {
        waiting.push(placed);
        admit();
      });
      return true;
    },
    leave() {
      taken -= 1;
      admit();
    },
  };
}

import type { Lane } from '../contracts/batchJob.js';

/** The batches that a process runs at once: those from their turn until they are written, of both lanes together. */
export interface BatchSlots {
  /**
   * Takes a place. A live batch waits until there is one; a background batch is told at once whether there is, and
   * never takes one that a live batch waits for.
   */
  enter(lane: Lane): Promise<boolean>;
  /** Gives back a place that was taken. */
  leave(): void;
}

/** Room for any number. */
export const BOUNDLESS: BatchSlots = { enter: async () => true, leave: () => undefined };

/** @param size how many there is room for at the moment; those that are in it already when it shrinks stay. */
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
        // The room may have grown: those that wait go first.
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

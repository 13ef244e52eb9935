import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isTransient } from './db.js';
import { requireWritable } from './hosts.js';

/** One question per process every half second: what waits goes on within a second of Postgres's return. */
const LOOK_EVERY_MS = 500;

export interface DatabaseReturn {
  /**
   * Waits while Postgres is away, or takes no writes. Answers whether it was: false at once where it is there, so that
   * whoever failed for another reason does not try again without a pause.
   */
  wait(): Promise<boolean>;
  /** Ends the waits, which answer false. */
  close(): void;
}

/** One look-out for all jobs of a process that Postgres has left in the middle. */
export function watchForReturn(database: Database): DatabaseReturn {
  let watching: Promise<boolean> | undefined;
  let closed = false;

  const isThere = async (): Promise<boolean> => {
    try {
      await requireWritable(database);
      return true;
    } catch (error) {
      // What it says else is for the job itself to find.
      return !isTransient(error);
    }
  };

  const watch = async (): Promise<boolean> => {
    if (await isThere()) return false;
    while (!closed) {
      await sleep(LOOK_EVERY_MS);
      if (await isThere()) return !closed;
    }
    return false;
  };

  return {
    wait() {
      watching ??= watch().finally(() => {
        watching = undefined;
      });
      return watching;
    },
    close() {
      closed = true;
    },
  };
}

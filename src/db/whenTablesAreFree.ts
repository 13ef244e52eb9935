import { setTimeout } from 'node:timers/promises';

/** In all some 20 s, of which the customer's writers wait for half at most, in pieces. */
const LOCK_ATTEMPTS = 20;
const LOCK_PAUSE_MS = 500;
const LOCK_NOT_AVAILABLE = '55P03';

/** Tries again while a lock is not to be had in time; the work must have been rolled back then. */
export async function whenTablesAreFree<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === LOCK_ATTEMPTS || (error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
}

import { setTimeout } from 'node:timers/promises';

/** 20 tries take some 20 s. The customer's writers wait for at most half of that time, half a second at once. */
const LOCK_ATTEMPTS = 20;
const LOCK_PAUSE_MS = 500;
const LOCK_NOT_AVAILABLE = '55P03';

/** Runs the work again each time Postgres refuses it a lock. The refused work must have been rolled back. */
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

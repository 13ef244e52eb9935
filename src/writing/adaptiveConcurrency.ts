/**
 * How many batches a worker runs at once when told to find out (D13): up by one while the database
 * answers quickly, down by a factor when it does not, as TCP does with its window, so that several workers on
 * one shared database settle rather than oscillate.
 */

export const MIN_CONCURRENCY = 5;
export const MAX_CONCURRENCY = 10;
export const START_CONCURRENCY = 8;

/** A 500-row write takes 5–50 ms on a healthy database; beyond 150 ms it is being crowded. */
const SLOW_MS = 150;
/** Well below slow, so that the two do not alternate. */
const FAST_MS = 75;
const DECREASE_FACTOR = 0.7;
/** Fewer writes than this say nothing about the database. */
const ENOUGH_SAMPLES = 8;

export interface ConcurrencyDecision {
  concurrency: number;
  /** Why it changed; undefined when it stays. */
  reason?: string;
}

/**
 * @param current jobs at once now.
 * @param latenciesMs write latencies since the last decision, ms.
 */
export function decideConcurrency(current: number, latenciesMs: readonly number[]): ConcurrencyDecision {
  if (latenciesMs.length < ENOUGH_SAMPLES) return { concurrency: current };
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const p90 = sorted[Math.ceil(sorted.length * 0.9) - 1] ?? 0;
  if (p90 > SLOW_MS && current > MIN_CONCURRENCY) {
    const concurrency = Math.max(MIN_CONCURRENCY, Math.floor(current * DECREASE_FACTOR));
    return { concurrency, reason: `writes slow: p90 ${p90} ms over ${SLOW_MS} ms` };
  }
  if (p90 < FAST_MS && current < MAX_CONCURRENCY) {
    return { concurrency: current + 1, reason: `writes fast: p90 ${p90} ms under ${FAST_MS} ms` };
  }
  return { concurrency: current };
}

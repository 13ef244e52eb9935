/**
 * Room: pacing. Promises: the whole deployment writes no more reads per second than its limit, live work first.
 */

/**
 * The read limit, as it is kept. A batch starts when the deployment's shared row in Postgres grants it (see
 * `ami_grant_start`), and really starts a little later: the answer travels, and a timer wakes late. The shift within a
 * second is bounded, and the grants run slower by that bound, so that no rolling second of real starts ever exceeds the
 * limit plus one batch.
 */

/** How late a start may be before its grant is void, ms: ten times as late as a timer usually is. */
export const LATE_TOLERANCE_MS = 15;
/** How much of a missed instant the next grant may make up for, ms: keeps small batches at full rate. */
export const CREDIT_MS = 10;
/**
 * How soon a background batch asks again whether live work is still due, ms: half a full batch's share of the limit.
 */
export const YIELD_MS = 100;
/**
 * How far ahead a background start may be granted, ms. Short, since live work waits for what has been granted; a little
 * longer than the background takes to ask again, so that no share of the limit goes by unused.
 */
export const BACKGROUND_AHEAD_MS = YIELD_MS + 10;
/** 1 / (1 + 25 ms in a second) = 0.9756, rounded down: 2,437 reads/s where the limit says 2,500. */
const HEADROOM = 0.975;

/** Reads per second by which grants and due times are spaced, for a deployment limited to `maxReadsPerSecond`. */
export function pacedRate(maxReadsPerSecond: number): number {
  return maxReadsPerSecond * HEADROOM;
}

import { getAlignedIntervalTimestamp } from '../contracts/intervals.js';
import type { IntervalMinutes } from '../contracts/limits.js';

/** A clock for demonstrations. It starts in the past, runs faster than life, and ends when it has caught up. */
export interface Replay {
  /** What the clock showed at `anchor`. */
  from: Date;
  /** When the replay was started, by the wall clock. */
  anchor: Date;
  /** How many times faster than life. */
  speed: number;
  /** The first interval that is still to be published. */
  next: Date;
}

/** What the replay's clock shows at `now`; never later than `now` itself. */
export function replayInstant({ from, anchor, speed }: Replay, now: Date): Date {
  const elapsed = Math.max(0, now.getTime() - anchor.getTime());
  return new Date(Math.min(now.getTime(), from.getTime() + elapsed * speed));
}

/** The latest interval that the replay may have published by `now`. */
export function replayDue(replay: Replay, interval: IntervalMinutes, now: Date): Date {
  return getAlignedIntervalTimestamp(interval, replayInstant(replay, now));
}

/**
 * The highest speed at which a fleet can be replayed beside what the read limit already has to carry: a whole number,
 * at least 1.
 *
 * @param readsPerSecond what the deployment keeps to.
 * @param busyReadsPerSecond the part of that which other tenants take in normal running.
 */
export function fastestReplay(
  meterCount: number,
  interval: IntervalMinutes,
  readsPerSecond: number,
  busyReadsPerSecond: number,
): number {
  const own = averageReadsPerSecond(meterCount, interval);
  return Math.max(1, Math.floor((readsPerSecond - busyReadsPerSecond) / own));
}

/** What a fleet asks for in normal running, averaged over an interval. */
export function averageReadsPerSecond(meterCount: number, interval: IntervalMinutes): number {
  return meterCount / (interval * 60);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane } from '../contracts/batchJob.js';
import type { Queryable } from '../db/db.js';
import { type BatchSlots, BOUNDLESS } from './batchSlots.js';
import { BACKGROUND_AHEAD_MS, CREDIT_MS, LATE_TOLERANCE_MS, pacedRate, YIELD_MS } from './pace.js';
import { grantStart, type StartGrant } from './pacingRow.js';

/** Lets batches start no faster than the deployment's read limit, whatever is due. */
export interface StartPacer {
  /**
   * Waits for the turn of a batch of `reads` reads; resolves at its start, with that instant by the
   * database's clock, and with a place in the room, which the caller gives back when the batch is over. In the
   * background that is not while a live batch is due. Rejects, without a place, when the pacer is closed or Postgres is
   * away.
   */
  turn(reads: number, lane: Lane, slots?: BatchSlots): Promise<Date>;
  /** Gives up all waiting turns, so that a shutdown need not sit them out. */
  close(): void;
}

/** Thrown to batches that were waiting for their turn when the process was told to stop; they run elsewhere. */
export class PacerClosedError extends Error {
  override name = 'PacerClosedError';
}

/**
 * One grant a lane is held at a time, the others of this process wait behind it in order: grants that wait in
 * several workers' memories are lost time when a worker dies, and one a process is enough to keep the pace. The lanes
 * do not wait for each other: what waits in the background until live work is done must not be in its way.
 */
export function createStartPacer(database: Queryable, maxReadsPerSecond: number): StartPacer {
  const closing = new AbortController();
  const rate = pacedRate(maxReadsPerSecond);
  let fastestRoundTripMs = Number.POSITIVE_INFINITY;
  const queues: Record<Lane, Promise<unknown>> = {
    live: Promise.resolve(),
    background: Promise.resolve(),
  };
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: closing.signal });

  const ask = async (reads: number, lane: Lane, place: Place, unused: StartGrant | undefined) => {
    for (;;) {
      if (await place.take()) {
        closing.signal.throwIfAborted();
        const askedAt = performance.now();
        const grant = await grantStart(database, lane, reads, rate, CREDIT_MS, BACKGROUND_AHEAD_MS, unused);
        if (grant !== undefined) return { grant, askedAt };
      }
      // What waits in the background waits in nobody's place.
      place.giveBack();
      await pause(YIELD_MS);
    }
  };

  const startOf = async (reads: number, lane: Lane, place: Place, unused: StartGrant | undefined) => {
    const { grant, askedAt } = await ask(reads, lane, place, unused);
    fastestRoundTripMs = Math.min(fastestRoundTripMs, performance.now() - askedAt);
    if (grant.waitMs > 0) await pause(grant.waitMs);
    // The usual travel time shifts all starts of this process alike and so changes no spacing; what exceeds it
    // does. Workers whose distances to Postgres differ by more than the tolerance could shift against each
    // other: they belong into one region.
    return { grant, lateMs: performance.now() - askedAt - grant.waitMs - fastestRoundTripMs };
  };

  /**
   * A start later than its tolerance asks again. The tolerance doubles each time, so that a slow machine gets
   * on, and what it exceeds the usual one by is charged to the grant: the next start is as far off as ever.
   */
  const take = async (reads: number, lane: Lane, place: Place): Promise<Date> => {
    let unused: StartGrant | undefined;
    for (let toleranceMs = LATE_TOLERANCE_MS; ; toleranceMs *= 2) {
      closing.signal.throwIfAborted();
      const charge = reads + ((toleranceMs - LATE_TOLERANCE_MS) / 1000) * rate;
      const { grant, lateMs } = await startOf(charge, lane, place, unused);
      if (lateMs <= toleranceMs)
        return new Date(grant.decidedAt.getTime() + grant.waitMs + Math.max(0, lateMs));
      unused = grant;
    }
  };

  return {
    turn(reads, lane, slots = BOUNDLESS) {
      const place = placeIn(slots, lane);
      const mine = queues[lane]
        .then(() => take(reads, lane, place))
        .catch((error: unknown) => {
          place.giveBack();
          throw closing.signal.aborted ? new PacerClosedError('the worker is stopping') : error;
        });
      queues[lane] = mine.catch(() => undefined);
      return mine;
    },
    close: () => closing.abort(),
  };
}

/** One batch's place in the room, or none yet. */
interface Place {
  /** Whether it has a place now. */
  take(): Promise<boolean>;
  giveBack(): void;
}

function placeIn(slots: BatchSlots, lane: Lane): Place {
  let taken = false;
  return {
    async take() {
      if (!taken) taken = await slots.enter(lane);
      return taken;
    },
    giveBack() {
      if (taken) slots.leave();
      taken = false;
    },
  };
}

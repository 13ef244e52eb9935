import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane } from '../contracts/batchJob.js';
import type { Queryable } from '../db/db.js';
import { type BatchSlots, BOUNDLESS } from './batchSlots.js';
import { BACKGROUND_AHEAD_MS, CREDIT_MS, LATE_TOLERANCE_MS, pacedRate, YIELD_MS } from './pace.js';
import { grantStart, type StartGrant } from './pacingRow.js';

/** Lets batches start no faster than the deployment's read limit, whatever is due. */
export interface StartPacer {
  /**
   * Waits for the turn of a batch of `reads` reads; a background batch has none while a live one is due. Resolves at the
   * start of the batch, with that instant by the database's clock. The batch then holds a slot, which the caller gives
   * back when the batch is over.
   *
   * @throws PacerClosedError, or what Postgres being away looks like; the batch then holds no slot.
   */
  turn(reads: number, lane: Lane, slots?: BatchSlots): Promise<Date>;
  /** Gives up all waiting turns, so that a shutdown need not sit them out. */
  close(): void;
}

/** Thrown to batches that were waiting for their turn when the process was told to stop; they run elsewhere. */
export class PacerClosedError extends Error {
  override name = 'PacerClosedError';
}

export function isPacerClosed(error: unknown): boolean {
  return error instanceof PacerClosedError;
}

/** A batch that waits for its turn. */
interface Waiting {
  reads: number;
  lane: Lane;
  place: Place;
}

/** A granted start that has been waited for, and how long after the granted instant that is. */
interface Start {
  grant: StartGrant;
  lateMs: number;
}

/**
 * A process holds one grant per lane at a time; its other batches wait behind that one, in order. Grants that wait in the
 * memories of several workers are lost time when a worker dies, and one per process is enough to keep the pace. The lanes
 * do not wait for each other: background work waits until live work is done, and must not stand in its way.
 */
export function createStartPacer(database: Queryable, maxReadsPerSecond: number): StartPacer {
  const closing = new AbortController();
  const rate = pacedRate(maxReadsPerSecond);
  let fastestRoundTripMs = Number.POSITIVE_INFINITY;
  const lastOfLane: Record<Lane, Promise<unknown>> = {
    live: Promise.resolve(),
    background: Promise.resolve(),
  };
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: closing.signal });

  /** The next grant, as soon as there is one. A batch that is refused gives its place back before it asks again. */
  const nextGrant = async ({ reads, lane, place }: Waiting, unused: StartGrant | undefined) => {
    for (;;) {
      if (await place.take()) {
        closing.signal.throwIfAborted();
        const askedAt = performance.now();
        const grant = await grantStart(database, lane, reads, rate, CREDIT_MS, BACKGROUND_AHEAD_MS, unused);
        if (grant !== undefined) return { grant, askedAt };
      }
      place.giveBack();
      await pause(YIELD_MS);
    }
  };

  /**
   * Waits for a grant and for its instant.
   *
   * The usual travel time of the answer shifts all starts of this process alike, and so changes no spacing: only what
   * exceeds it counts as late. Workers whose distances to Postgres differ by more than the tolerance could shift against
   * each other, so they belong in one region.
   */
  const waitForStart = async (batch: Waiting, unused: StartGrant | undefined): Promise<Start> => {
    const { grant, askedAt } = await nextGrant(batch, unused);
    fastestRoundTripMs = Math.min(fastestRoundTripMs, performance.now() - askedAt);
    if (grant.waitMs > 0) await pause(grant.waitMs);
    return { grant, lateMs: performance.now() - askedAt - grant.waitMs - fastestRoundTripMs };
  };

  /**
   * Waits for a start that is not too late; a late one hands its grant back and asks again. The tolerance doubles with
   * each try, so that a slow machine gets on. The grant is charged with what the tolerance exceeds the usual one by, so
   * that the next start is as far off as ever.
   */
  const startInTime = async (batch: Waiting): Promise<Date> => {
    let unused: StartGrant | undefined;
    for (let toleranceMs = LATE_TOLERANCE_MS; ; toleranceMs *= 2) {
      closing.signal.throwIfAborted();
      const reads = batch.reads + ((toleranceMs - LATE_TOLERANCE_MS) / 1000) * rate;
      const { grant, lateMs } = await waitForStart({ ...batch, reads }, unused);
      if (lateMs <= toleranceMs)
        return new Date(grant.decidedAt.getTime() + grant.waitMs + Math.max(0, lateMs));
      unused = grant;
    }
  };

  return {
    turn(reads, lane, slots = BOUNDLESS) {
      const place = placeIn(slots, lane);
      const start = lastOfLane[lane]
        .then(() => startInTime({ reads, lane, place }))
        .catch((error: unknown) => {
          place.giveBack();
          throw closing.signal.aborted ? new PacerClosedError('the worker is stopping') : error;
        });
      lastOfLane[lane] = start.catch(() => undefined);
      return start;
    },
    close: () => closing.abort(),
  };
}

/** One batch's slot, or none yet. */
interface Place {
  /** Whether the batch has a slot now. */
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

import type { BatchJob } from '../contracts/batchJob.js';
import type { Lateness } from '../contracts/emulation.js';
import { createRandomness, STREAM, subjectOf } from '../emulator/chance/random.js';
import { type Arrival, arrivals, arrivesAt } from '../emulator/network/lateness.js';
import { type ReadColumns, readsAtPlaces } from '../emulator/reads.js';
import type { NewHold } from '../ledger/heldReads.js';
import type { FeederMeters } from './heldReads.js';

/** Reads of one arrival that are no further apart on the roster are delivered together: a delivery costs as much as these. */
const NEAR = 64;

/** The reads of a batch that are there by now, and those that come later. */
export interface Arriving {
  columns: ReadColumns;
  holds: NewHold[];
}

/**
 * Leaves out of a batch's reads what the fleet's `lateness` brings later, and says when that is. In a late delivery what has come
 * by its instant is in, and nothing comes a second time for its sake.
 *
 * @param runs the batch's meters in the order of the roster.
 */
export function arriving(
  job: BatchJob,
  lateness: Lateness,
  columns: ReadColumns,
  runs: readonly FeederMeters[],
): Arriving {
  const arrivalOf = arrivals(lateness, job);
  const until = job.late?.asOf ?? arrivesAt(job, 0);
  const found = columns.meterIds.map(arrivalOf);
  const isThere = ({ lateBy }: Arrival): boolean => arrivesAt(job, lateBy) <= until;
  const waiting = new Map<string, Arrival>();
  for (const [index, arrival] of found.entries()) {
    const isDue = isThere(arrival);
    if (!isDue || (arrival.againBy !== null && !job.late))
      waiting.set(columns.meterIds[index] as string, arrival);
  }
  if (waiting.size === 0) return { columns, holds: [] };
  return {
    columns: found.every(isThere)
      ? columns
      : readsAtPlaces(
          columns,
          found.flatMap((arrival, place) => (isThere(arrival) ? [place] : [])),
        ),
    holds: holdsOf(job, runs, waiting, until),
  };
}

/** One meter's read that comes at some instant, first or once more. */
interface Coming {
  meterId: string;
  at: number;
  lateBy: number;
  isAgain: boolean;
}

function holdsOf(
  job: BatchJob,
  runs: readonly FeederMeters[],
  waiting: ReadonlyMap<string, Arrival>,
  until: Date,
): NewHold[] {
  const isWhole = runs.reduce((sum, { meterIds }) => sum + meterIds.length, 0) === job.to - job.from;
  const holds: NewHold[] = [];
  let position = job.from;
  for (const { feederId, meterIds } of runs) {
    const groups = new Map<string, Coming[]>();
    for (const [index, meterId] of meterIds.entries()) {
      const arrival = waiting.get(meterId);
      if (!arrival) continue;
      for (const coming of comings(arrival, job, until)) {
        const key = `${coming.lateBy} ${coming.isAgain}`;
        groups.set(key, [...(groups.get(key) ?? []), { ...coming, meterId, at: position + index }]);
      }
    }
    position += meterIds.length;
    for (const group of groups.values())
      for (const piece of near(group)) holds.push(holdOf(job, feederId, piece, isWhole));
  }
  return holds;
}

function comings(
  { lateBy, againBy }: Arrival,
  job: BatchJob,
  until: Date,
): Pick<Coming, 'lateBy' | 'isAgain'>[] {
  return [
    ...(arrivesAt(job, lateBy) > until ? [{ lateBy, isAgain: false }] : []),
    ...(againBy !== null && !job.late ? [{ lateBy: againBy, isAgain: true }] : []),
  ];
}

function near(group: readonly Coming[]): Coming[][] {
  const pieces: Coming[][] = [];
  for (const one of group) {
    const last = pieces.at(-1);
    if (last && one.at - (last.at(-1) as Coming).at <= NEAR) last.push(one);
    else pieces.push([one]);
  }
  return pieces;
}

function holdOf(job: BatchJob, feederId: string, piece: readonly Coming[], isWhole: boolean): NewHold {
  const [first, last] = [piece[0] as Coming, piece.at(-1) as Coming];
  const place = createRandomness(job.seed, job.tenantId).uniform(
    STREAM.deliveryPlace,
    subjectOf(`${feederId} ${first.at} ${first.lateBy}`),
    job.readAt.getTime() / 900_000,
  );
  return {
    feederId,
    // Where some meters have left the registry, positions are those of the whole batch.
    ...(isWhole ? { from: first.at, to: last.at + 1 } : { from: job.from, to: job.to }),
    meterIds: first.isAgain ? [] : piece.map(({ meterId }) => meterId),
    eventIds: [],
    place,
    dueAt: arrivesAt(job, first.lateBy),
  };
}

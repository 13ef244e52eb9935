/**
 * Room: upkeep. Promises: what must happen now and then happens, whatever is published, and one process at a time does
 * it. A duty that fails keeps no other from its turn. Each duty has a file of its own; this one lists them.
 */

import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import type { Duty, UpkeepOptions, UpkeepResult } from './duty.js';
import { endEvents } from './events.js';
import { deleteOldPublishes } from './ledger.js';
import { restoreBatches } from './lostBatches.js';
import { forgetMeters } from './meters.js';
import { dropPartitions, makePartitions } from './partitions.js';
import { forgetHistory } from './replacedReads.js';
import { deleteSnapshots } from './snapshots.js';
import { countFedIn } from './uncountedDays.js';
import { forgetFindings } from './validation.js';
import { countByZones } from './zones.js';

/** In this order, one after the other: a worker's connections are for its batches. */
const TIDYING: readonly Duty[] = [
  makePartitions,
  endEvents,
  countByZones,
  dropPartitions,
  forgetHistory,
  forgetFindings,
  forgetMeters,
  deleteOldPublishes,
  deleteSnapshots,
  countFedIn,
];

/** Tidying begins nothing new after these 5 s: the next run, 10 s later, goes on where it ended. */
const TIDYING_MS = 5_000;

/**
 * One run of all duties. Lost batches have a turn of their own: they must not wait for a process that tidies.
 *
 * @returns what was done: zero and empty where another process has the turn.
 * @throws AggregateError of what failed, after every duty had its turn.
 */
export async function runUpkeep(options: UpkeepOptions): Promise<UpkeepResult> {
  const { database } = options;
  const done: UpkeepResult = {
    partitionsMade: 0,
    partitionsDropped: [],
    batchesRestored: 0,
    eventsExpired: 0,
    publishesPruned: 0,
    fleetsDeleted: 0,
  };
  const turns = await Promise.allSettled([
    oneProcessAtATime(database, 'lost-batches', () => perform([restoreBatches], options, done)),
    oneProcessAtATime(database, 'tidying', () => perform(TIDYING, options, done)),
  ]);
  const errors = turns.flatMap((turn) => (turn.status === 'rejected' ? errorsOf(turn.reason) : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => String(error)).join('; '));
  return done;
}

async function perform(duties: readonly Duty[], options: UpkeepOptions, done: UpkeepResult): Promise<void> {
  const until = performance.now() + TIDYING_MS;
  const errors: unknown[] = [];
  for (const duty of duties) {
    try {
      Object.assign(done, await duty(options, until));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors);
}

function errorsOf(reason: unknown): unknown[] {
  return reason instanceof AggregateError ? reason.errors : [reason];
}

import type { Database } from '../db/db.js';
import { expireEvents } from '../events/eventTable.js';
import { pruneLedger } from '../ledger/pruning.js';
import { restoreLostBatches } from '../publishing/lostBatches.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import {
  dropExpiredPartitions,
  forgetMetersWithoutReads,
  preparePartitions,
} from '../reads/partitionUpkeep.js';
import { deleteUnnamedSnapshot, unnamedSnapshots } from '../registry/snapshots.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';

/** All zero and empty of a turn that another process had. */
export interface UpkeepResult {
  partitionsMade: number;
  partitionsDropped: string[];
  batchesRestored: number;
  eventsExpired: number;
  publishesPruned: number;
  fleetsDeleted: number;
}

export interface UpkeepOptions {
  database: Database;
  queue: AmiQueue;
  readsRetentionDays: number | undefined;
  ledgerRetentionDays: number;
  now: () => Date;
}

/** What can be gone on with at the next run ends by then: lost batches are looked for at each run. */
const TIDYING_MS = 5_000;

/**
 * What must happen now and then whatever is published: partitions ahead, expired ones dropped, lost batches put
 * back, events that are over marked as such, meters without reads forgotten, old publishes deleted from the ledger,
 * snapshots of registries that no publish needs deleted.
 *
 * Of all processes one does it at a time, and the others leave it out. Lost batches have a turn of their own: they must
 * not wait for one that tidies. Each part is safe from several processes at once all the same, and one that fails does
 * not keep the others from their turn: the errors are thrown together at the end.
 */
export async function runUpkeep(options: UpkeepOptions): Promise<UpkeepResult> {
  const { database, queue } = options;
  const done: UpkeepResult = {
    partitionsMade: 0,
    partitionsDropped: [],
    batchesRestored: 0,
    eventsExpired: 0,
    publishesPruned: 0,
    fleetsDeleted: 0,
  };
  const turns = await Promise.allSettled([
    oneProcessAtATime(database, 'lost-batches', async () => {
      done.batchesRestored = await restoreLostBatches(database, queue);
    }),
    oneProcessAtATime(database, 'tidying', () => tidy(options, done)),
  ]);
  const errors = turns.flatMap((turn) => (turn.status === 'rejected' ? errorsOf(turn.reason) : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => String(error)).join('; '));
  return done;
}

/** One after the other: a worker's connections are for its batches. */
async function tidy(options: UpkeepOptions, done: UpkeepResult): Promise<void> {
  const { database, readsRetentionDays, ledgerRetentionDays, now } = options;
  const until = performance.now() + TIDYING_MS;
  const parts = [
    async () => {
      done.partitionsMade = await preparePartitions(database, now());
    },
    async () => {
      done.eventsExpired = await expireEvents(database, now());
    },
    async () => {
      if (readsRetentionDays !== undefined)
        done.partitionsDropped = await dropExpiredPartitions(database, now(), readsRetentionDays);
    },
    () => forgetMetersWithoutReads(database, until),
    async () => {
      done.publishesPruned = await pruneLedger(database, ledgerRetentionDays, until);
    },
    async () => {
      done.fleetsDeleted = await deleteUnnamedFleets(database);
    },
  ];
  const errors: unknown[] = [];
  for (const part of parts) await part().catch((error) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors);
}

function errorsOf(reason: unknown): unknown[] {
  return reason instanceof AggregateError ? reason.errors : [reason];
}

/** Snapshots a run: 25,000 meters of each, in tens of ms. */
const FLEETS_AT_ONCE = 20;

/** One by one, since a publish that is about to name one waits for its deletion. */
async function deleteUnnamedFleets(database: Database): Promise<number> {
  let deleted = 0;
  for (const fleetId of await unnamedSnapshots(database, FLEETS_AT_ONCE))
    if (await deleteUnnamedSnapshot(database, fleetId)) deleted += 1;
  return deleted;
}

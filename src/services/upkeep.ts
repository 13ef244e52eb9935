import type { Database } from '../db.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { expireEvents } from '../stores/events.js';
import { dropExpiredPartitions, forgetMetersWithoutReads, preparePartitions } from './partitionUpkeep.js';
import { restoreLostBatches } from './recovery.js';

export interface UpkeepResult {
  partitionsMade: number;
  partitionsDropped: string[];
  batchesRestored: number;
  eventsExpired: number;
}

export interface UpkeepOptions {
  database: Database;
  queue: AmiQueue;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/**
 * What must happen now and then whatever is published: partitions ahead, expired ones dropped, lost batches put
 * back, events that are over marked as such, meters without reads forgotten. Each part is safe from several processes
 * at once, and one that fails does not keep the others from their turn: the errors are thrown together at the end.
 */
export async function runUpkeep({
  database,
  queue,
  readsRetentionDays,
  now,
}: UpkeepOptions): Promise<UpkeepResult> {
  const [made, dropped, restored, ended, forgotten] = await Promise.allSettled([
    preparePartitions(database, now()),
    readsRetentionDays === undefined ? [] : dropExpiredPartitions(database, now(), readsRetentionDays),
    restoreLostBatches(database, queue),
    expireEvents(database, now()),
    forgetMetersWithoutReads(database),
  ]);
  const errors = [made, dropped, restored, ended, forgotten].flatMap((part) =>
    part.status === 'rejected' ? [part.reason] : [],
  );
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => String(error)).join('; '));
  return {
    partitionsMade: made.status === 'fulfilled' ? made.value : 0,
    partitionsDropped: dropped.status === 'fulfilled' ? dropped.value : [],
    batchesRestored: restored.status === 'fulfilled' ? restored.value : 0,
    eventsExpired: ended.status === 'fulfilled' ? ended.value : 0,
  };
}

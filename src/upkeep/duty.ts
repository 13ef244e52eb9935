import type { Database } from '../db/db.js';
import type { AmiQueue } from '../queues/amiQueue.js';

/** What the duties of one run have done; a duty that had nothing to do leaves its part as it is. */
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
  /** Days of reads to keep; undefined keeps all. */
  readsRetentionDays: number | undefined;
  /** Whether days are archived first: then it is the archive that drops them. */
  isArchived?: boolean;
  /** Days of the ledger of publishes to keep. */
  ledgerRetentionDays: number;
  now: () => Date;
}

/**
 * One thing that must happen now and then, whatever is published. It is safe from several processes at once.
 *
 * @param until instant of `performance.now()`: what can be gone on with at the next run begins nothing after it.
 */
export type Duty = (options: UpkeepOptions, until: number) => Promise<Partial<UpkeepResult>>;

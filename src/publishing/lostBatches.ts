import { batchJobId, type Lane } from '../contracts/batchJob.js';
import { MAX_BACKGROUND_JOBS, MAX_QUEUE_DEPTH } from '../contracts/limits.js';
import type { Database } from '../db/db.js';
import { batchPayload, carryingPayload, firstOfJob } from '../ledger/batchPayload.js';
import { isOwed, type OverdueBatch, overdueBatches } from '../ledger/publishLedger.js';
import type { AmiQueue } from '../queues/amiQueue.js';

/**
 * How long a batch is owed past its due time before the queue is asked about it, s: longer than a stalled job
 * takes to be run again (10 s lock, 5 s check), so that a crash alone is left to BullMQ.
 */
const OVERDUE_SECONDS = 20;
/** The bounds of the lanes: no more can be found. */
const LIMITS = { live: MAX_QUEUE_DEPTH, background: MAX_BACKGROUND_JOBS };

/**
 * Puts back accepted batches that no queue holds any more: the process died between ledger and queue, the queue
 * failed, or its data was wiped. Safe at any time and from several processes: a job that exists is not added
 * again, and one that runs twice writes once. A background batch is often overdue, since its due time does not count
 * live work; the queue is asked about it all the same.
 *
 * A job that the queue holds back although its batch is overdue is run now. A machine whose clock was a day ahead when it
 * handed the job back has put it off by a day; else its next try only comes a little sooner.
 *
 * @returns how many jobs were put back.
 */
export async function restoreLostBatches(database: Database, queue: AmiQueue): Promise<number> {
  return (await restoreLane(database, queue, 'live')) + (await restoreLane(database, queue, 'background'));
}

async function restoreLane(database: Database, queue: AmiQueue, lane: Lane): Promise<number> {
  let restored = 0;
  /** Jobs of several batches are asked about once. */
  const held = new Set<string>();
  for (const overdue of await overdueBatches(database, lane, OVERDUE_SECONDS, LIMITS[lane])) {
    const { publishId, batch } = overdue;
    const payload = carryingPayload(overdue, batch);
    const jobId = batchJobId(publishId, payload.batch);
    if (held.has(jobId)) continue;
    if (await isHeldAlone(queue, overdue, lane)) continue;
    if (await queue.haveRun(payload, lane)) {
      held.add(jobId);
      continue;
    }
    // The batch may have been written since the list was read: then its job has ended rightly.
    if (!(await isOwed(database, publishId, batch))) continue;
    await queue.putBack(payload, lane);
    held.add(jobId);
    restored += 1;
  }
  return restored;
}

/** Whether the batch has a job of its own, of an earlier version, though now it shares one. Such a job is run too. */
async function isHeldAlone(queue: AmiQueue, overdue: OverdueBatch, lane: Lane): Promise<boolean> {
  const { batch } = overdue;
  return batch !== firstOfJob(overdue, batch) && queue.haveRun(batchPayload(overdue, batch), lane);
}

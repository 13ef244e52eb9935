import type { Lane } from '../../src/contracts/batchJob.js';
import { BackpressureError } from '../../src/contracts/errors.js';
import { MAX_QUEUE_DEPTH, MAX_READS_PER_SECOND } from '../../src/contracts/limits.js';
import type { PublishRecord } from '../../src/ledger/publishLedger.js';
import { pacedRate } from '../../src/pacing/pace.js';
import { decideAdmissions } from '../../src/publishing/admissionDecision.js';

const RATE = pacedRate(MAX_READS_PER_SECOND);
/** From the start of a batch to its end. */
const WRITE_MS = 60;

export interface ModelPublish {
  tenantId: string;
  readAt: number;
  lane: Lane;
  meters: number;
  batchSize: number;
  acceptedAt: number;
}
export type Written = ModelPublish & { completedAt: number };

interface Pending extends ModelPublish {
  left: number;
  dueAt: number;
}

/**
 * Queue and pace of a deployment on a virtual clock: what it admits is decided by the product's own `decideAdmissions`; then batches
 * start one after the other at the paced rate, the live ones when they are due, in the background while none is.
 */
export function createModelQueue(onWritten: (publish: Written) => void) {
  const lanes: Record<Lane, Pending[]> = { live: [], background: [] };
  const owed = { live: 0, background: 0, backgroundReads: 0 };
  let freeAt = 0;
  let dueUntil = 0;
  let deepest = 0;

  const startOne = (lane: Lane, at: number): void => {
    const publish = lanes[lane][0] as Pending;
    const reads = Math.min(publish.batchSize, publish.left);
    publish.left -= reads;
    publish.dueAt += millisecondsOf(reads);
    owed[lane] -= 1;
    freeAt = at + millisecondsOf(reads);
    if (publish.left > 0) return;
    lanes[lane].shift();
    onWritten({ ...publish, completedAt: at + WRITE_MS });
  };

  return {
    /** Answers whether there was room. */
    admit(publish: ModelPublish): boolean {
      const { lane, meters, batchSize, acceptedAt } = publish;
      const batchCount = Math.ceil(meters / batchSize);
      const counts = {
        waiting: owed.live + owed.background,
        delayed: 0,
        active: 0,
        failed: 0,
      };
      const asking = { publish: { batchCount, lane } as PublishRecord };
      const { refused } = decideAdmissions([asking], counts, owed, RATE);
      if (refused.length > 0) {
        if (!(refused[0]?.error instanceof BackpressureError)) throw new Error('refused for another reason');
        return false;
      }
      if (lane === 'live') dueUntil = Math.max(dueUntil, acceptedAt);
      lanes[lane].push({ ...publish, left: meters, dueAt: lane === 'live' ? dueUntil : acceptedAt });
      if (lane === 'live') dueUntil += millisecondsOf(meters);
      owed[lane] += batchCount;
      deepest = Math.max(deepest, owed.live + owed.background);
      return true;
    },

    /** Starts everything that starts before `until`. */
    runUntil(from: number, until: number): void {
      for (;;) {
        const at = Math.max(freeAt, from);
        const live = lanes.live[0];
        const background = lanes.background[0];
        const isLiveNext = live && (!background || live.dueAt <= at + millisecondsOf(background.batchSize));
        const startAt = isLiveNext ? Math.max(at, live.dueAt) : at;
        if (startAt >= until || (!live && !background)) return;
        startOne(isLiveNext ? 'live' : 'background', startAt);
      }
    },

    /** Jobs that could still be admitted. */
    room: () => MAX_QUEUE_DEPTH - owed.live - owed.background,

    /** The most jobs that were ever outstanding at once. */
    deepest: () => deepest,
  };
}

function millisecondsOf(reads: number): number {
  return (reads / RATE) * 1000;
}

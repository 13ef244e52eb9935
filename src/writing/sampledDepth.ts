import type { AmiQueue, QueueCounts } from '../queues/amiQueue.js';

export type Depth = Pick<QueueCounts, 'waiting' | 'delayed' | 'active'>;

/** How old a depth in a log line may be, ms. A count for each of a hundred jobs per second would cost more than they do. */
const FRESH_MS = 1_000;

/**
 * The queue's depth for log lines: counted at most once per second however many ask. Null where the queue does not answer.
 *
 * @param now ms of a clock that never goes back.
 */
export function sampledDepth(
  queue: Pick<AmiQueue, 'counts'>,
  now: () => number = () => performance.now(),
): () => Promise<Depth | null> {
  let sample: Promise<Depth | null> = Promise.resolve(null);
  let takenAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - takenAt >= FRESH_MS) {
      takenAt = now();
      sample = queue.counts().then(
        ({ waiting, delayed, active }) => ({ waiting, delayed, active }),
        () => null,
      );
    }
    return sample;
  };
}

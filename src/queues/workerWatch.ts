import type { Worker } from 'bullmq';

/**
 * Runs a BullMQ worker until it is closed. A worker whose loop ends early, or that never becomes ready, takes no more jobs
 * and is silent about it, or turns in a circle that lets nothing else run (measured on Postgres). Such a worker is closed
 * and reported.
 *
 * @param isReady settles with the worker's first connection, for a backend on which a failed first connection is final.
 */
export function runUntilClosed(
  worker: Worker,
  isReady: Promise<unknown>,
  onBroken: (error: Error) => void,
): void {
  let closing = false;
  worker.on('closing', () => {
    closing = true;
  });
  const broken = (why: string): void => {
    if (closing) return;
    // The circle ends with the close.
    worker.close(true).catch((error: Error) => worker.emit('error', error));
    onBroken(new Error(`the worker of queue ${worker.name} takes no more jobs: ${why}`));
  };
  isReady.catch((error: Error) => broken(error.message));
  worker.run().then(
    () => broken('its loop has ended'),
    (error: Error) => broken(error.message),
  );
}

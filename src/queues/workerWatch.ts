import type { Worker } from 'bullmq';

/**
 * Runs a BullMQ worker until it is closed. One whose loop ends before, or that never becomes ready, takes no more jobs
 * and says nothing of it, or turns in a circle without letting anything else run (measured on Postgres): it is closed,
 * and told about.
 *
 * @param isReady settles with the worker's first connection, where a failure of that is for ever.
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

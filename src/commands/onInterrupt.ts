import { constants } from 'node:os';

/**
 * Leaves with a report of its own. `runProcess`, whose listener comes after this one, would say that nothing was done,
 * while what was accepted goes on.
 */
export function onInterrupt(leave: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.prependListener(signal, () => {
      leave();
      process.exit(128 + constants.signals[signal]);
    });
}

/**
 * Room: timing. Promises: when work runs and for how long it is waited for: deadlines, repetition, one process at a
 * time, one run for many callers. It knows nothing of what the work is.
 */

import type { Logger } from 'pino';

/**
 * What came of one run. `skipped`: another process has the turn, so there was nothing to do here. Work that throws has
 * failed.
 */
export type Outcome = 'ran' | 'skipped';

export interface Periodic {
  /** Lets a run under way finish, and starts no other. */
  stop(): Promise<void>;
}

/** A wait of between one and two times `ms`, so that processes started together do not keep step. */
export function jittered(ms: number): () => number {
  return () => ms * (1 + Math.random());
}

/**
 * Runs `work` at once and then every `everyMs` after it ended; never twice at a time. A failure is logged and
 * tried again the next time: what is done periodically is repaired by its repetition. The log says with each failure
 * how many there were in a row and when a run last ended well, and says when they are over.
 */
export function runPeriodically(
  name: string,
  everyMs: number | (() => number),
  work: () => Promise<Outcome> | Promise<void>,
  log: Logger,
): Periodic {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** Failures since the last run that was none; a turn that another process had changes nothing about them. */
  let failedInARow = 0;
  /** When a run last ended well in this process. */
  let lastSucceededAt: Date | null = null;
  const turn = async (): Promise<void> => {
    try {
      if ((await work()) !== 'skipped') succeeded();
    } catch (error) {
      failedInARow += 1;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason, failedInARow, lastSucceededAt }, `${name} failed, to be tried again`);
    }
    if (!stopped) timer = setTimeout(next, typeof everyMs === 'number' ? everyMs : everyMs());
  };
  const succeeded = (): void => {
    if (failedInARow > 0) log.info({ failedInARow, lastSucceededAt }, `${name} succeeded again`);
    failedInARow = 0;
    lastSucceededAt = new Date();
  };
  let running = turn();
  const next = (): void => {
    running = turn();
  };
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

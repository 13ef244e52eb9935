import type { Logger } from 'pino';

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
 * tried again the next time: what is done periodically is repaired by its repetition.
 */
export function runPeriodically(
  name: string,
  everyMs: number | (() => number),
  work: () => Promise<void>,
  log: Logger,
): Periodic {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const turn = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        `${name} failed, to be tried again`,
      );
    }
    if (!stopped) timer = setTimeout(next, typeof everyMs === 'number' ? everyMs : everyMs());
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

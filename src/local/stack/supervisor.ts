import { type Part, type PartEvents, PartRunner, type Reported } from './partRunner.js';

export type { Part, ReadyDetails, Reported } from './partRunner.js';

/** Ctrl-C stops everything within 5 s; 0.6 s of them are for clearing away what a killed part left, and for our exit. */
const WHOLE_STOP_MS = 4_400;
/** The share of API and worker; the rest is Postgres's. A batch takes 50 to 500 ms. */
const PART_STOP_MS = 3_500;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SupervisorOptions {
  /** Once, when every part of every stage is ready. */
  onReady?: (reported: Reported) => void;
  /** At each start of a part's process, restarts included. */
  onForked?: (part: Part, pid: number) => void;
  onNote?: (line: string) => void;
}

/**
 * Runs the stages one after another, the parts of one stage together, until a signal asks to stop; then stops them
 * in the reverse order. A part that dies after having been ready is started again, for ever.
 *
 * Resolves when no part is left: with `stopped` after a signal, with `failed` when a part ended before it was ever
 * ready (it has said why on stderr). A second signal changes nothing.
 */
export async function superviseParts(
  stages: readonly (readonly Part[])[],
  options: SupervisorOptions = {},
): Promise<'stopped' | 'failed'> {
  const reported: Record<string, Reported[string]> = {};
  const events: PartEvents = {
    forked: (part, pid) => options.onForked?.(part, pid),
    ready: (part, details) => {
      reported[part.name] = details;
    },
    changed: (part) => replaceLater(part),
    note: (line) => options.onNote?.(line),
  };
  const runners = stages.map((stage) => stage.map((part) => new PartRunner(part, () => reported, events)));
  const replaceLater = (part: Part) => {
    const stage = stages.findIndex((parts) => parts.includes(part));
    for (const runner of runners.slice(stage + 1).flat()) runner.replace(PART_STOP_MS);
  };

  let requestStop: () => void = () => undefined;
  const stopRequested = new Promise<'stopped'>((resolve) => {
    requestStop = () => resolve('stopped');
  });
  for (const signal of STOP_SIGNALS) process.on(signal, requestStop);
  try {
    const outcome = await Promise.race([stopRequested, startAll(runners)]);
    if (outcome === 'ready') {
      options.onReady?.(reported);
      await stopRequested;
    }
    return outcome === 'failed' ? 'failed' : 'stopped';
  } finally {
    await stopAll(runners);
    for (const signal of STOP_SIGNALS) process.off(signal, requestStop);
  }
}

async function startAll(runners: readonly PartRunner[][]): Promise<'ready' | 'failed'> {
  for (const stage of runners) {
    const ready = stage.map(async (runner) => {
      if (!(await runner.start())) throw new Error(`${runner.part.name} ended before it was ready`);
    });
    try {
      // Settles with the first part that fails: its neighbours may take long to be ready, or never be.
      await Promise.all(ready);
    } catch {
      return 'failed'; // The part itself has said why.
    }
  }
  return 'ready';
}

async function stopAll(runners: readonly PartRunner[][]): Promise<void> {
  const by = Date.now() + WHOLE_STOP_MS;
  for (const runner of runners.flat()) runner.announceStop(by);
  for (const stage of runners.toReversed()) {
    const isFirst = stage === runners[0];
    const left = by - Date.now();
    const withinMs = isFirst ? left : Math.min(PART_STOP_MS, left);
    await Promise.all(stage.map((runner) => runner.stop(withinMs)));
  }
}

import { StartupError } from '../contracts/errors.js';
import { onSupervisorLost, reportReady } from './supervised.js';

/** A started process: what to do when it is told to stop. */
export interface Running {
  /** Stops in order; called once. */
  stop(): Promise<void>;
}

/** Whatever still hangs after 10 s is cut off; an orchestrator would send SIGKILL soon after. */
const STOP_DEADLINE_MS = 10_000;

/** 128 and the number of the signal, as a shell reports who was ended by one. */
const INTERRUPTED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof INTERRUPTED;

/**
 * Runs a process from start to stop: a failed start is one sentence on stderr and exit code 1, without a
 * stack; SIGINT, SIGTERM, or the loss of the supervisor stop it in order, within the deadline.
 *
 * A command does all of its work in `start`. If it is told to stop before its work is over, the exit code says that the
 * work has not been done.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  let stopping = false;
  let running: Running | undefined;
  const stop = (signal: StopSignal): void => {
    if (stopping) return;
    stopping = true;
    if (running === undefined) interrupted(signal);
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    running.stop().then(() => process.exit(0), failed);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  onSupervisorLost(() => stop('SIGTERM'));
  try {
    running = await start();
    reportReady();
  } catch (error) {
    failed(error);
  }
}

/** Postgres rolls back whatever transaction was open when the process and its connection end. */
function interrupted(signal: StopSignal): never {
  // A supervisor stops its parts in its own time and has nothing to be told.
  if (process.send === undefined) {
    process.stderr.write(
      `GridLens was interrupted before it was done (${signal}); run it again to finish.\n`,
    );
  }
  process.exit(INTERRUPTED[signal]);
}

function failed(error: unknown): never {
  const text = error instanceof StartupError ? error.message : sentenceOf(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function sentenceOf(error: unknown): string {
  return `GridLens stopped on an error it does not know: ${error instanceof Error ? error.message : String(error)}`;
}

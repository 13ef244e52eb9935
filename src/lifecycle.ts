import { StartupError } from './contracts/errors.js';
import { onSupervisorLost, reportReady } from './local/supervised.js';

/** A started process: what to do when it is told to stop. */
export interface Running {
  /** Stops in order; called once. */
  stop(): Promise<void>;
}

/** Whatever still hangs after 10 s is cut off; an orchestrator would send SIGKILL soon after. */
const STOP_DEADLINE_MS = 10_000;

/**
 * Runs a process from start to stop: a failed start is one sentence on stderr and exit code 1, without a
 * stack; SIGINT, SIGTERM, or the loss of the supervisor stop it in order, within the deadline.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  let stopping = false;
  let running: Running | undefined;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    Promise.resolve(running?.stop()).then(() => process.exit(0), failed);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  onSupervisorLost(stop);
  try {
    running = await start();
    reportReady();
  } catch (error) {
    failed(error);
  }
}

function failed(error: unknown): never {
  const text = error instanceof StartupError ? error.message : sentenceOf(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function sentenceOf(error: unknown): string {
  return `GridLens stopped on an error it does not know: ${error instanceof Error ? error.message : String(error)}`;
}

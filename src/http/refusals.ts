import type { Logger } from 'pino';
import { thinnedBySubject } from '../timing/thinnedBySubject.js';

const EVERY_MS = 1_000;

interface Tally {
  refused: number;
}

/** Reasons that were logged within the last second. */
const tallies = new Map<string, Tally>();

/**
 * Logs a refusal without its stack, the first of each reason at once and those that follow within a second as one line
 * with their count: thousands of callers are refused for one reason, and their lines would hide it.
 *
 * @param reason what the log is told beyond the answer's message.
 */
export function logRefusal(log: Logger, message: string, reason: string | undefined): void {
  const tally = tallies.get(message);
  if (tally !== undefined) {
    tally.refused += 1;
    return;
  }
  const begun: Tally = { refused: 0 };
  tallies.set(message, begun);
  log.warn({ reason, refused: 1 }, message);
  setTimeout(() => {
    tallies.delete(message);
    if (begun.refused > 0) log.warn({ refused: begun.refused }, message);
  }, EVERY_MS).unref();
}

/** A thousand addresses at once say no more than thirty of them. */
const STRANGERS_LINES_PER_MINUTE = 30;

/** Thins log lines that strangers can cause; the subject is the reason with the address. */
export function thinnedForStrangers(): ReturnType<typeof thinnedBySubject> {
  return thinnedBySubject({ mostLines: STRANGERS_LINES_PER_MINUTE });
}

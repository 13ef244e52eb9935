import { thinnedBySubject } from '../timing/thinnedBySubject.js';

/** Reasons per minute; a server that is away has a handful of them. */
const MOST_LINES = 50;

/**
 * A listener for errors that may come thousands of times per second: each reason is passed on at once the first time,
 * then at most once per minute, with the number of times that it was held back. What is passed on is the reason alone:
 * the error of a Redis command carries the command, a script of tens of kilobytes.
 *
 * Reasons that differ in numbers and ids alone are the same.
 *
 * @param now ms of a clock that never goes back.
 */
export function thinned(listener: (error: Error) => void, now?: () => number): (error: Error) => void {
  const tell = thinnedBySubject({ mostLines: MOST_LINES, ...(now ? { now } : {}) });
  return (error) => tell(kindOf(error), (heldBack) => listener(new QueueTrouble(error, heldBack)));
}

/** An error of the queue's as it is logged: in one sentence, without a stack, which is the same for all. */
class QueueTrouble extends Error {
  override name = 'QueueTrouble';
  constructor(error: Error, heldBack: number) {
    const reason = reasonOf(error).slice(0, 500);
    super(heldBack > 0 ? `${reason} (and ${heldBack} times more since this was last said)` : reason);
    this.stack = `${this.name}: ${this.message}`;
  }
}

function reasonOf(error: Error): string {
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}

function kindOf(error: Error): string {
  return reasonOf(error).replaceAll(/\S*\d\S*/g, '#');
}

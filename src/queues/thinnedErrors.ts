/** One line per minute and reason: what repeats a thousand times per second says nothing new. */
const EVERY_MS = 60_000;
/** Reasons that are told apart; what comes beyond is told as one. */
const MOST_REASONS = 50;

/**
 * A listener for errors that may come thousands of times per second: each reason is passed on at once the first time,
 * then at most once per minute, with the number of times that it was held back. What is passed on is the reason alone:
 * the error of a Redis command carries the command, a script of tens of kilobytes.
 *
 * Reasons that differ in numbers and ids alone are the same.
 *
 * @param now ms of a clock that never goes back.
 */
export function thinned(
  listener: (error: Error) => void,
  now: () => number = () => performance.now(),
): (error: Error) => void {
  const reasons = new Map<string, { toldAt: number; heldBack: number }>();
  return (error) => {
    const at = now();
    const wanted = kindOf(error);
    const kind = reasons.has(wanted) || reasons.size < MOST_REASONS ? wanted : '';
    const told = reasons.get(kind);
    if (told !== undefined && at - told.toldAt < EVERY_MS) {
      told.heldBack += 1;
      return;
    }
    const heldBack = told?.heldBack ?? 0;
    reasons.set(kind, { toldAt: at, heldBack: 0 });
    listener(new QueueTrouble(error, heldBack));
  };
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

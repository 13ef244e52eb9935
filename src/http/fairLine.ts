import type { Usage } from './usage.js';
import { asksLess } from './usage.js';

/** A place in the line, or already in work. */
export interface Ticket {
  /** Ends when its turn has come; rejects when it is turned away. */
  turn: Promise<void>;
  /** Another caller waits for the same: the one of them who asked less counts. */
  alsoFor(usage: Usage): void;
  /** Leaves the line; one that is in work already stays in work. */
  giveUp(): void;
  /** The work is over, and the next in the line begins. */
  done(): void;
}

export interface LineLimits {
  /** How many are in work at once. */
  atOnce: number;
  /** How many wait. For one more, whoever asked most is turned away. */
  waiting: number;
  /** For how long whoever has asked so much waits at most, ms. */
  patienceMs(usage: Usage): number;
}

interface Place {
  usage: Usage;
  begin(): void;
  turnAway(): void;
}

/**
 * A line in which whoever asked least lately goes first; among equals the one who came first.
 *
 * @param refusal what those who are turned away are told.
 */
export function createFairLine(
  { atOnce, waiting, patienceMs }: LineLimits,
  refusal: () => Error,
): (usage: Usage) => Ticket {
  let inWork = 0;
  const line = new Set<Place>();

  const next = (): void => {
    if (inWork < atOnce) mostOf(line, (one, best) => asksLess(one.usage, best.usage))?.begin();
  };

  return (usage) => {
    const { promise: turn, resolve, reject } = settleable();
    const place: Place = {
      usage,
      begin() {
        leaveLine();
        inWork += 1;
        resolve();
      },
      turnAway() {
        leaveLine();
        reject(refusal());
      },
    };
    const leaveLine = (): void => {
      clearTimeout(timer);
      line.delete(place);
    };
    const timer = setTimeout(() => place.turnAway(), patienceMs(usage));
    line.add(place);
    next();
    if (line.size > waiting) mostOf(line, (one, worst) => !asksLess(one.usage, worst.usage))?.turnAway();
    return {
      turn,
      alsoFor(other) {
        if (asksLess(other, place.usage)) place.usage = other;
      },
      giveUp() {
        if (line.has(place)) place.turnAway();
      },
      done() {
        inWork -= 1;
        next();
      },
    };
  };
}

/** The first of them that no later one comes before. */
function mostOf(
  line: Iterable<Place>,
  comesBefore: (one: Place, other: Place) => boolean,
): Place | undefined {
  const [first, ...others] = line;
  return first && others.reduce((best, one) => (comesBefore(one, best) ? one : best), first);
}

function settleable(): { promise: Promise<void>; resolve(): void; reject(error: Error): void } {
  let resolve = (): void => undefined;
  let reject = (_error: Error): void => undefined;
  const promise = new Promise<void>((onTurn, onRefusal) => {
    resolve = onTurn;
    reject = onRefusal;
  });
  return { promise, resolve, reject };
}

/**
 * How long an answer and its parts may take, in ms. The promise is one number: an answer is out within 2 s, whatever
 * hangs. Every part gets less than the one that waits for it, so that each failure is named by who knows it best.
 */
export interface AnswerBudget {
  /** A handler's time. It leaves 100 ms to write the answer and for the network. */
  handler: number;
  /** A dry run's time. It ends before the handler's, whose message speaks of what may have been accepted. */
  dryRun: number;
  /**
   * A statement, a call of the queue, a check of one dependency, a publish's wait to be admitted. The 400 ms after it
   * are for saying which of them did not answer. A healthy one answers in milliseconds.
   */
  dependency: number;
  /** A wait for an advisory lock. Postgres then names the lock before the client gives the statement up. */
  lock: number;
  /** A customer's KPI view, with its wait for a turn and a connection. It leaves 700 ms for our own queries. */
  customerSection: number;
  /** Postgres's own work on one customer's view: 200 ms of its section are for the turn and the connection. */
  customerView: number;
  /** Counting silent meters one by one. It leaves as long again for what the rest of the answer waits for. */
  staleness: number;
  /** A new connection to Postgres. Inside a region one takes tens of ms, so half of the answer is plenty. */
  connection: number;
  /** The silence after which a frozen holder of a lock loses it: by then whoever waits has had an answer, twice over. */
  frozenHolder: number;
}

/** The promise, in ms. */
const ANSWER_MS = 2_000;

/**
 * The parts of an answer for a machine on which everything takes `factor` times as long; 1 as deployed.
 *
 * Each part is a share of the whole, so none can outgrow the part that waits for it.
 */
export function answerBudgetFor(factor: number): AnswerBudget {
  const share = (part: number): number => Math.round(ANSWER_MS * factor * part);
  return {
    handler: share(0.95),
    dryRun: share(0.925),
    dependency: share(0.75),
    lock: share(0.7),
    customerSection: share(0.6),
    customerView: share(0.5),
    staleness: share(0.4),
    connection: share(0.5),
    frozenHolder: share(2.5),
  };
}

let current = answerBudgetFor(1);

/** The budget of this process. Asked for at each use, never kept: it is stretched while the process starts. */
export function answerBudget(): AnswerBudget {
  return current;
}

/**
 * Stretches the budget of this process, once, before it connects to anything (ANSWER_BUDGET_FACTOR).
 *
 * The one setting that is not passed down. It is a property of the machine, the same for all that a process does, and
 * most of its uses know neither a configuration nor a context: 20 routes, a lock taken on a client, a pool's connection.
 */
export function stretchAnswerBudget(factor: number): void {
  current = answerBudgetFor(factor);
}

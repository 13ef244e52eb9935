import { setMaxListeners } from 'node:events';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError } from '../contracts/errors.js';
import { askAs, NobodyWaitsError } from '../db/shares.js';
import { withDeadline } from '../timing/deadline.js';
import { createSlices } from '../timing/slices.js';
import { limitPerAddress } from './addressLimit.js';
import { createFairLine, type Ticket } from './fairLine.js';
import { holdConnection } from './oneAtATime.js';
import { countRefusal, createUsage, hasNoPause, type Usage } from './usage.js';

/** Four per connection of the readers' share: with four, the slow views of four tenants kept out all other answers. */
const AT_ONCE = 8;
/** As many as are answered while a calm caller waits: some 15 ms each on two connections. */
const WAITING = 64;
/** Of the time of an answer. 950 ms of 1,900: half is left to work it out. */
const PATIENCE_SHARE = 0.5;
/** 76 ms of 1,900: who asks without pause hears within 100 ms that there is no room. */
const SHORT_PATIENCE_SHARE = 0.04;
/** With some 10 kB for each of them that is 20 MB. */
const CALLERS = 2_000;
/** So many callers at once are a crowd: twice what four routes of a page ask on two connections. */
const CROWD = 16;
/** For how long an answer that a crowd has asked for is given to those who come after it, ms. */
const KEPT_MS = 500;
/**
 * Requests of one connection in the last 10 s or so. More than these it asks without pause: a page that polls four
 * routes every 2 s asks 20 times.
 */
const WITHOUT_PAUSE = 30;
/** Of a crowd that asks without pause so many get their answer in a turn of the event loop: some 4 ms. */
const CROWD_AT_ONCE = 8;
/** What a refusal says with Retry-After. */
const AGAIN_MS = 1_000;
/** After a refusal that many are enough: it has been told to come back in a second. */
const WITHOUT_PAUSE_REFUSED = 3;

/** An answer that is being worked out, or was just now. */
interface Work<T> {
  answer: Promise<T>;
  ticket: Ticket;
  /** Who waits for it now. */
  waiting: number;
  /** Who has asked for it, with those who have gone. */
  askers: number;
  /** Ends with an answer that is kept, since so many have asked for it. */
  isOfCrowd: boolean;
  isAnswered: boolean;
  /** Aborted when nobody waits any more for an answer that is not there. */
  gone: AbortController;
}

/**
 * Who reads when: how many answers are worked out at once and for whom first, that equal questions share an answer, and
 * that work ends when its callers have gone. See docs/decisions/0009-strangers.md.
 */
export interface Readers {
  /**
   * The answer of `work`, worked out for this caller alone.
   *
   * @throws ApiError 429 over the limit of its address, 503 when there is no room or the answer is late;
   * NobodyWaitsError when the caller has gone.
   */
  alone<T>(request: Request, response: Response, work: () => Promise<T>): Promise<T>;
  /** The same, shared with all who ask the same question meanwhile, and in a crowd for 250 ms after it. */
  shared<T>(request: Request, response: Response, question: string, work: () => Promise<T>): Promise<T>;
  /** Something was written through this process: answers that were begun before are shared no more. */
  wrote(): void;
}

/** The guard of all routes under one path; handlers find what it makes by `readersOf`. */
export function createReaders(limits: { perAddressPerSecond: number; log: Logger }): RequestHandler {
  const countAddress = limitPerAddress(limits.perAddressPerSecond, limits.log);
  const usageOf = createUsage();
  const joinLine = createFairLine(
    {
      atOnce: AT_ONCE,
      waiting: WAITING,
      patienceMs: (usage) =>
        answerBudget().handler * (hasNoPause(usage, WITHOUT_PAUSE) ? SHORT_PATIENCE_SHARE : PATIENCE_SHARE),
    },
    busy,
  );
  const shares = new Map<string, Work<unknown>>();
  let callers = 0;
  const crowdTurn = createSlices(CROWD_AT_ONCE);

  const begin = <T>(usage: Usage, work: () => Promise<T>): Work<T> => {
    const ticket = joinLine(usage);
    const gone = new AbortController();
    // Each question of an answer that waits for a connection listens: more than ten are no leak, of which Node would warn.
    setMaxListeners(0, gone.signal);
    gone.signal.addEventListener('abort', () => ticket.giveUp());
    const answer = ticket.turn.then(() =>
      askAs({ share: 'readers', gone: gone.signal }, work).finally(() => ticket.done()),
    );
    const begun = { answer, ticket, gone, waiting: 0, askers: 0, isOfCrowd: false, isAnswered: false };
    answer.then(
      () => {
        begun.isAnswered = true;
      },
      () => undefined,
    );
    return begun;
  };

  const share = <T>(usage: Usage, question: string, work: () => Promise<T>): Work<T> => {
    const found = shares.get(question) as Work<T> | undefined;
    if (found) {
      found.ticket.alsoFor(usage);
      return found;
    }
    const begun = begin(usage, work);
    shares.set(question, begun);
    const forget = (): void => {
      if (shares.get(question) === begun) shares.delete(question);
    };
    begun.gone.signal.addEventListener('abort', forget);
    begun.answer.then(() => {
      begun.isOfCrowd = begun.askers >= CROWD;
      if (begun.isOfCrowd) setTimeout(forget, KEPT_MS).unref();
      else forget();
    }, forget);
    return begun;
  };

  const answerTo = async <T>(
    request: Request,
    response: Response,
    find: (usage: Usage) => Work<T>,
  ): Promise<T> => {
    if (callers >= CALLERS) throw busy();
    callers += 1;
    const usage = usageOf(request);
    try {
      await countAddress(request, response);
      const work = find(usage);
      const answer = await waitFor(work, response);
      if (work.isOfCrowd && hasNoPause(usage, WITHOUT_PAUSE)) {
        slowDown(request, KEPT_MS);
        await crowdTurn();
      }
      return answer;
    } catch (error) {
      if (error instanceof ApiError && error.status !== 400) refused(request, usage);
      throw error;
    } finally {
      callers -= 1;
    }
  };

  const readers: Readers = {
    alone: (request, response, work) => answerTo(request, response, (usage) => begin(usage, work)),
    shared: (request, response, question, work) =>
      answerTo(request, response, (usage) => share(usage, question, work)),
    wrote: () => shares.clear(),
  };
  return (request, response, next) => {
    response.locals.readers = readers;
    if (isRead(request)) next();
    else askAs({ share: 'keyHolders' }, next);
  };
}

/** What the guard has made; undefined for a route that it does not stand before. */
export function readersOf(response: Response): Readers | undefined {
  return response.locals.readers;
}

export function isRead({ method }: Pick<Request, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}

function refused(request: Request, usage: Usage): void {
  if (!hasNoPause(usage, WITHOUT_PAUSE_REFUSED)) return;
  countRefusal(usage);
  slowDown(request, AGAIN_MS);
}

/**
 * A connection that asks without pause is read from later, in a crowd and after a refusal: it would get the same again,
 * and the process would have time for nothing but to say so. Not all of them at the same moment.
 */
function slowDown({ socket }: Request, ms: number): void {
  holdConnection(socket, ms * (0.5 + Math.random()));
}

/** Waits until the answer is there, is late, or the caller has gone. The last to leave ends the work. */
async function waitFor<T>(work: Work<T>, response: Response): Promise<T> {
  work.waiting += 1;
  work.askers += 1;
  let hangUp = (): void => undefined;
  const gone = new Promise<never>((_, reject) => {
    hangUp = () => reject(new NobodyWaitsError());
    if (response.destroyed) hangUp();
    response.once('close', hangUp);
  });
  try {
    return await withDeadline(() => Promise.race([work.answer, gone]), answerBudget().handler, late);
  } finally {
    response.off('close', hangUp);
    work.waiting -= 1;
    // With a reason of its own: the default one is an exception with a stack.
    // What is answered needs no end; a crowd's answer is given to those who come after it.
    if (work.waiting === 0 && !work.isAnswered) work.gone.abort('nobody waits');
  }
}

/** The deadline of every read. */
export function late(): ApiError {
  return new ApiError(503, 'unavailable', 'Postgres or the queue did not answer in time; ask again.', {
    headers: { 'Retry-After': '5' },
  });
}

function busy(): ApiError {
  const message = 'As many reads are under way here as this process takes at once; ask again in a second.';
  return new ApiError(503, 'busy', message, { headers: { 'Retry-After': '1' } });
}

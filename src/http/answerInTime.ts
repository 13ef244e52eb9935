import type { Request, RequestHandler, Response } from 'express';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError } from '../contracts/errors.js';
import { withDeadline } from '../timing/deadline.js';
import { isRead, late, readersOf } from './readers.js';

const REPEATING_IS_SAFE = 'repeating it is safe, since a read is written once';

/**
 * A handler whose promise must settle in time; a late one is answered with 503 and its result dropped. A read waits for
 * its turn first, where the route is among those that strangers share (`createReaders`).
 *
 * @param advice the end of a sentence: what a caller can do who cannot know whether the POST was accepted.
 * `response.locals.advice` keeps it for the envelope of other errors that leave the same doubt.
 */
export function answerInTime(
  handler: (request: Request, response: Response) => Promise<void>,
  advice = REPEATING_IS_SAFE,
): RequestHandler {
  return (request, response) => {
    response.locals.advice = advice;
    const readers = readersOf(response);
    const work = (): Promise<void> => handler(request, response);
    if (!isRead(request))
      return withDeadline(
        () => work().finally(() => readers?.wrote()),
        answerBudget().handler,
        () => tooSlow(advice),
      );
    return readers?.alone(request, response, work) ?? withDeadline(work, answerBudget().handler, late);
  };
}

function tooSlow(advice: string): ApiError {
  const message = `Postgres or the queue did not answer in time; it may or may not have been accepted, and ${advice}.`;
  return new ApiError(503, 'unavailable', message, { headers: { 'Retry-After': '5' } });
}

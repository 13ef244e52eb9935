import type { Request, RequestHandler, Response } from 'express';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError } from '../contracts/errors.js';
import { withDeadline } from '../timing/deadline.js';

const REPEATING_IS_SAFE = 'repeating it is safe, since a read is written once';

/**
 * A handler whose promise must settle in time; a late one is answered with 503 and its result dropped.
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
    return withDeadline(
      () => handler(request, response),
      answerBudget().handler,
      () => tooSlow(request.method, advice),
    );
  };
}

function tooSlow(method: string, advice: string): ApiError {
  const message =
    method === 'GET'
      ? 'Postgres or the queue did not answer in time; ask again.'
      : `Postgres or the queue did not answer in time; it may or may not have been accepted, and ${advice}.`;
  return new ApiError(503, 'unavailable', message, { headers: { 'Retry-After': '5' } });
}

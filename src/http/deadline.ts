import type { Request, RequestHandler, Response } from 'express';
import { ApiError } from '../contracts/errors.js';
import { withDeadline } from '../deadline.js';

/** 1.9 s: an answer is out within 2 s, whatever hangs. */
const ANSWER_WITHIN_MS = 1_900;

/** A handler whose promise must settle in time; a late one is answered with 503 and its result dropped. */
export function answerInTime(
  handler: (request: Request, response: Response) => Promise<void>,
): RequestHandler {
  return (request, response) =>
    withDeadline(
      () => handler(request, response),
      ANSWER_WITHIN_MS,
      () => tooSlow(request.method),
    );
}

function tooSlow(method: string): ApiError {
  const message =
    method === 'GET'
      ? 'Postgres or the queue did not answer in time; ask again.'
      : 'Postgres or the queue did not answer in time; it may or may not have been accepted, and repeating it is safe, since a read is written once.';
  return new ApiError(503, 'unavailable', message, { headers: { 'Retry-After': '5' } });
}

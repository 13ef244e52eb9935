import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ApiError, BackpressureError, DependencyUnavailableError } from '../contracts/errors.js';
import { isTransient } from '../db/db.js';
import { postgresTrouble } from '../db/postgresTrouble.js';
import { NobodyWaitsError } from '../db/shares.js';
import { envelopeOf } from './envelope.js';
import { tooLarge } from './jsonBody.js';
import { logRefusal } from './refusals.js';

/** The last handler of a path nobody has. */
export const notFound: RequestHandler = (request) => {
  throw new ApiError(
    404,
    'not_found',
    `There is no ${request.path} here; GET /api/ami/status and the README show what there is.`,
  );
};

/** Every error becomes the envelope of docs/api.md; no stack ever leaves the process, it goes to the log. */
export const errorEnvelope: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (error instanceof NobodyWaitsError) return void response.destroy();
  if (response.headersSent) {
    // The answer was already given (a deadline that passed): the late error is only worth a line.
    request.log.warn({ err: error }, 'error after the answer');
    if (!response.writableEnded) next(error);
    return;
  }
  const answer = answerFor(error, request.method, response.locals.advice);
  if (answer.status === 503 || answer.status === 429)
    logRefusal(request.log, answer.message, reasonOf(error));
  else if (answer.status >= 500) request.log.error({ err: error }, answer.message);
  response
    .status(answer.status)
    .set(answer.extra.headers ?? {})
    .json(envelopeOf(answer, request.id));
};

/** What the answer does not say: what Postgres or the queue said to us. */
function reasonOf(error: unknown): string | undefined {
  return error instanceof Error && !(error instanceof ApiError) ? error.message : undefined;
}

function answerFor(error: unknown, method: string, adviceInDoubt?: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof BackpressureError) {
    return new ApiError(429, 'backpressure', error.message, {
      headers: { 'Retry-After': String(error.retryAfterSeconds) },
      body: { ...error.depth },
    });
  }
  if (error instanceof DependencyUnavailableError)
    return unavailable(error.dependency, method, adviceInDoubt, postgresTrouble(error.cause));
  if (isTransient(error)) return unavailable('postgres', method, adviceInDoubt, postgresTrouble(error));
  return (
    fromBodyParser(error) ??
    new ApiError(500, 'internal', 'Something went wrong here; the log has it under this requestId.')
  );
}

/** If Postgres goes away during a commit, nobody can say whether the transaction was committed. */
function unavailable(
  dependency: 'postgres' | 'queue',
  method: string,
  adviceInDoubt: string | undefined,
  trouble = 'is not available',
): ApiError {
  const name = dependency === 'postgres' ? 'Postgres' : 'The queue';
  const advice =
    method === 'GET' || dependency === 'queue' || adviceInDoubt === undefined
      ? 'try again shortly'
      : `this request may or may not have been accepted, and ${adviceInDoubt}`;
  return new ApiError(503, 'unavailable', `${name} ${trouble}; ${advice}.`, {
    headers: { 'Retry-After': '5' },
    body: { dependency },
  });
}

/** body-parser's and the router's own errors, which carry a status and a type. */
function fromBodyParser(error: unknown): ApiError | undefined {
  const { status, type, limit } = error as { status?: unknown; type?: unknown; limit?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  switch (type) {
    case 'entity.too.large':
      // What a compressed body became; the bytes that were sent are counted in jsonBody.
      return tooLarge(Number(limit));
    case 'entity.parse.failed':
      return new ApiError(400, 'invalid_json', 'The body must be valid JSON.');
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new ApiError(
        415,
        'unsupported_media_type',
        'The body must be JSON in UTF-8, plain or gzip, deflate or br.',
      );
    default:
      return new ApiError(status, 'invalid_request', 'The request could not be read.');
  }
}

import express, { type RequestHandler } from 'express';
import { ApiError } from '../contracts/errors.js';
import { MAX_BODY_BYTES } from '../contracts/limits.js';

/** Parses a JSON body of at most 100 kB; no body at all is an empty object, so that its missing fields are named. */
export function jsonBody(): RequestHandler[] {
  const onlyJson: RequestHandler = (request, _response, next) => {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && !request.is('application/json')) {
      throw new ApiError(
        415,
        'unsupported_media_type',
        'The body must be JSON: send the header "Content-Type: application/json".',
      );
    }
    next();
  };
  const emptyObject: RequestHandler = (request, _response, next) => {
    if (request.body === undefined) request.body = {};
    next();
  };
  return [onlyJson, express.json({ limit: MAX_BODY_BYTES, strict: false }), emptyObject];
}

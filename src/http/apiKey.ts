import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { ApiError } from '../contracts/errors.js';

/**
 * Lets a request pass that carries `Authorization: Bearer <key>` (D15). Hashing first makes both sides
 * the same length, which a comparison in constant time needs.
 */
export function requireApiKey(apiKey: string): RequestHandler {
  const expected = digest(apiKey);
  return (request, _response, next) => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next();
    const message =
      given === undefined
        ? 'This request needs the API key: send the header "Authorization: Bearer <GRIDLENS_API_KEY>".'
        : 'The API key in the Authorization header is not the one this deployment was started with.';
    throw new ApiError(401, 'unauthorized', message, { headers: { 'WWW-Authenticate': 'Bearer' } });
  };
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}

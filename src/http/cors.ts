import cors from 'cors';
import type { RequestHandler } from 'express';

const LOCALHOST = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Lets the dashboard's origin read. Only GET routes use this guard, so a browser never gets to write. */
export function readableFromDashboard(origins: readonly string[], allowLocalhost: boolean): RequestHandler {
  const readable = cors({
    origin: allowLocalhost ? [...origins, LOCALHOST] : [...origins],
    methods: ['GET', 'HEAD'],
    exposedHeaders: ['X-Request-Id', 'Retry-After', 'ETag'],
    maxAge: 600,
  });
  // The package answers every OPTIONS as a preflight; one that asks about no other request is the route's to answer.
  return (request, response, next) =>
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined
      ? next()
      : readable(request, response, next);
}

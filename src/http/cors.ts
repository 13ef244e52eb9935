import cors from 'cors';
import type { RequestHandler } from 'express';

const LOCALHOST = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Lets the dashboard's origin read. Only GET routes use this guard, so a browser never gets to write. */
export function readableFromDashboard(origins: readonly string[], allowLocalhost: boolean): RequestHandler {
  return cors({
    origin: allowLocalhost ? [...origins, LOCALHOST] : [...origins],
    methods: ['GET', 'HEAD'],
    exposedHeaders: ['X-Request-Id', 'Retry-After', 'ETag'],
    maxAge: 600,
  });
}

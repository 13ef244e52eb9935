/**
 * Room: http. Promises: what all routes share. Every answer carries a request ID, comes within the answer budget, and is
 * JSON; every failure has the same envelope; a POST needs the key. No caller keeps the others from theirs.
 */

import type { RequestHandler, Router } from 'express';
import { ApiError } from '../contracts/errors.js';

export interface Methods {
  /** Handlers of GET; HEAD follows. */
  get?: RequestHandler[];
  post?: RequestHandler[];
  put?: RequestHandler[];
  delete?: RequestHandler[];
}

/** One path with the methods it has; every other method is a 405 that says which are allowed. */
export function resource(router: Router, path: string, methods: Methods): void {
  const route = router.route(path);
  if (methods.get) route.get(...methods.get);
  if (methods.post) route.post(...methods.post);
  if (methods.put) route.put(...methods.put);
  if (methods.delete) route.delete(...methods.delete);
  const allowed = [
    ...(methods.get ? ['GET', 'HEAD'] : []),
    ...(methods.post ? ['POST'] : []),
    ...(methods.put ? ['PUT'] : []),
    ...(methods.delete ? ['DELETE'] : []),
    'OPTIONS',
  ].join(', ');
  route.options((_request, response) => {
    response.set('Allow', allowed).status(204).end();
  });
  route.all((request) => {
    const message = `${request.method} is not possible here; allowed are ${allowed}.`;
    throw new ApiError(405, 'method_not_allowed', message, { headers: { Allow: allowed } });
  });
}

import type { Request, RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** Seconds; an answer of the API is out within 2. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/** Measures every request. Mounted first, so that its time includes that of everything after it. */
export function measureRequests(registry: Registry): RequestHandler {
  const requests = new Histogram({
    name: 'gridlens_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by route and status code; 499: the caller left before.',
    labelNames: ['method', 'route', 'code'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return (request, response, next) => {
    const stop = requests.startTimer();
    response.once('close', () => {
      // 499: nobody waited for the answer, as nginx writes it.
      const code = response.writableFinished ? response.statusCode : 499;
      stop({ method: METHODS.has(request.method) ? request.method : 'other', route: routeOf(request), code });
    });
    next();
  };
}

/** The path as the route has it, never as it was sent: callers must not be able to make labels. */
function routeOf({ route, originalUrl }: Request): string {
  if (route === undefined) return 'none';
  // After an error Express has taken the prefix away again.
  return `${/^\/api\/ami\//i.test(originalUrl) ? '/api/ami' : ''}${route.path}`;
}

import type { RequestHandler, Router } from 'express';
import { resource } from '../http/resource.js';
import type { MetricsPage } from './metricsPage.js';

/** `GET /metrics`, in Prometheus's text form. */
export function metricsRoutes(
  router: Router,
  { metrics, guards = [] }: { metrics: MetricsPage; guards?: RequestHandler[] },
): void {
  resource(router, '/metrics', {
    get: [
      ...guards,
      async (_request, response) => {
        // Without the tag that `send` would make: no two scrapes are the same.
        response.set('Content-Type', metrics.contentType).end(await metrics.text());
      },
    ],
  });
}

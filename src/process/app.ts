import express, { type Express, type RequestHandler, Router } from 'express';
import { autoRoutes } from '../automatic/routes.js';
import { backfillRoutes } from '../backfill/routes.js';
import { boardRoutes } from '../board/routes.js';
import { ApiError } from '../contracts/errors.js';
import { MAX_EVENT_BODY_BYTES } from '../contracts/limits.js';
import { eventRoutes } from '../events/routes.js';
import { readsRoutes } from '../exports/readsRoutes.js';
import { exportRoutes } from '../exports/routes.js';
import { refuseOtherHosts } from '../http/allowedHosts.js';
import { createKeyGuards } from '../http/apiKey.js';
import { readableFromDashboard } from '../http/cors.js';
import { errorEnvelope, notFound } from '../http/errors.js';
import { allowBody } from '../http/jsonBody.js';
import { createReaders, isRead } from '../http/readers.js';
import { requestLog } from '../http/requestLog.js';
import { securityHeaders } from '../http/securityHeaders.js';
import { refuseOddRequests } from '../http/unreadable.js';
import { mappingRoutes } from '../imports/mappingRoutes.js';
import { importRoutes } from '../imports/routes.js';
import { kpiRoutes } from '../kpi/routes.js';
import { metricsRoutes } from '../metrics/routes.js';
import { pageRoutes } from '../page/routes.js';
import { publishRoutes } from '../publishing/routes.js';
import { schemaRoutes } from '../schema/routes.js';
import type { ClockWatch } from '../status/clockWatch.js';
import { healthRoutes } from '../status/healthRoutes.js';
import { statusRoutes } from '../status/routes.js';
import { veeRoutes } from '../vee/routes.js';
import type { Context } from './context.js';
import { openApiMetrics } from './openMetrics.js';
import type { Services } from './services.js';

/**
 * The HTTP surface, ready to listen or to be tested; reads no environment and starts nothing.
 *
 * A new route is a `routes.ts` in the room of its capability and one line here.
 */
export function createApp(
  context: Pick<Context, 'config' | 'log'> &
    Partial<Pick<Context, 'clock' | 'reads' | 'database' | 'queue' | 'queueView'>>,
  services: Services,
  isStopping = () => false,
): Express {
  const { config, log, clock, reads, queueView } = context;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.trustedProxyHops);
  const { metrics, measure } = openApiMetrics(context, services.status);
  app.use(measure);
  app.use(requestLog(log));
  app.use(securityHeaders());
  app.use(refuseOddRequests);
  app.use(refuseOtherHosts(config));

  const ami = Router();
  ami.use(createReaders({ perAddressPerSecond: config.readsPerAddress, log }));
  if (clock) ami.use(refuseWhileClocksDiffer(clock));
  if (reads)
    ami.use(['/tenants', '/kpi', '/status', '/scale/status'], (_request, _response, next) =>
      reads.forOneAnswer(next),
    );
  ami.use('/event', allowBody(MAX_EVENT_BODY_BYTES));
  const { requireKey, requireBrowserKey, requireReadKey, requireAnyKey } = createKeyGuards(
    { write: config.apiKeys, read: config.readKeys },
    log,
  );
  // Whether a browser may read comes first: its preflight carries no key, and it must be able to read a 401.
  const readable = Router().use(
    readableFromDashboard(config.corsOrigins, config.corsAllowLocalhost),
    requireReadKey,
  );
  const given = { ...services, requireKey, readable };
  // What dashboards poll comes first: a request is compared with each route before its own.
  kpiRoutes(ami, given);
  statusRoutes(ami, given);
  publishRoutes(ami, given);
  autoRoutes(ami, given);
  backfillRoutes(ami, given);
  mappingRoutes(ami, given);
  importRoutes(ami, { ...given, mostBytes: config.importMaxBytes });
  eventRoutes(ami, given);
  schemaRoutes(ami, given);
  veeRoutes(ami, given);
  exportRoutes(ami, { ...given, requireAnyKey });
  readsRoutes(ami, { ...given, requireAnyKey });
  app.use('/api/ami', ami);
  pageRoutes(app);
  if (queueView) boardRoutes(app, { queueView, requireBrowserKey, isWritable: config.queuesWritable });
  healthRoutes(app, { ...given, isStopping });
  metricsRoutes(app, { metrics, guards: [requireReadKey] });

  app.use(notFound);
  app.use(errorEnvelope);
  return app;
}

/** Which intervals are due, begin or have passed is a matter of the time: nothing is accepted by a wrong clock. */
function refuseWhileClocksDiffer(clock: ClockWatch): RequestHandler {
  return (request, _response, next) => {
    const trouble = clock.trouble();
    if (trouble === undefined || isRead(request)) return next();
    throw new ApiError(503, 'unavailable', `Nothing is accepted here: ${trouble}.`, {
      headers: { 'Retry-After': '5' },
      body: { dependency: 'clock' },
    });
  };
}

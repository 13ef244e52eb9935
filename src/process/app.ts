import express, { type Express, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { autoRoutes } from '../automatic/routes.js';
import { backfillRoutes } from '../backfill/routes.js';
import { ApiError } from '../contracts/errors.js';
import { eventRoutes } from '../events/routes.js';
import { requireApiKey } from '../http/apiKey.js';
import { readableFromDashboard } from '../http/cors.js';
import { errorEnvelope, notFound } from '../http/errors.js';
import { createReaders } from '../http/readers.js';
import { requestId } from '../http/requestId.js';
import { kpiRoutes } from '../kpi/routes.js';
import { publishRoutes } from '../publishing/routes.js';
import { schemaRoutes } from '../schema/routes.js';
import type { ClockWatch } from '../status/clockWatch.js';
import { healthRoutes } from '../status/healthRoutes.js';
import { statusRoutes } from '../status/routes.js';
import type { Context } from './context.js';
import type { Services } from './services.js';

/**
 * The HTTP surface, ready to listen or to be tested; reads no environment and starts nothing.
 *
 * A new route is a `routes.ts` in the room of its capability and one line here.
 */
export function createApp(
  { config, log, clock, reads }: Pick<Context, 'config' | 'log'> & Partial<Pick<Context, 'clock' | 'reads'>>,
  services: Services,
  isStopping = () => false,
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.trustedProxyHops);
  app.use(requestLog(log));
  app.use(helmet());

  const ami = Router();
  ami.use(createReaders({ perAddressPerSecond: config.readsPerAddress, log }));
  if (clock) ami.use(refuseWhileClocksDiffer(clock));
  if (reads)
    ami.use(['/kpi', '/status', '/scale/status'], (_request, _response, next) => reads.forOneAnswer(next));
  const guards = {
    requireKey: requireApiKey(config.apiKey ?? ''),
    readable: readableFromDashboard(config.corsOrigins, config.corsAllowLocalhost),
  };
  const given = { ...services, ...guards };
  publishRoutes(ami, given);
  autoRoutes(ami, given);
  backfillRoutes(ami, given);
  eventRoutes(ami, given);
  kpiRoutes(ami, given);
  statusRoutes(ami, given);
  schemaRoutes(ami, given);
  app.use('/api/ami', ami);
  healthRoutes(app, { ...given, isStopping });

  app.use(notFound);
  app.use(errorEnvelope);
  return app;
}

function requestLog(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId: requestId,
    // Probes and polling dashboards would drown the lines that matter.
    autoLogging: { ignore: (request) => request.method === 'GET' || request.method === 'HEAD' },
    serializers: {
      req: (request: { id: unknown; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        url: request.url,
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
}

/** Which intervals are due, begin or have passed is a matter of the time: nothing is accepted by a wrong clock. */
function refuseWhileClocksDiffer(clock: ClockWatch): RequestHandler {
  return (request, _response, next) => {
    const trouble = clock.trouble();
    if (trouble === undefined || request.method === 'GET' || request.method === 'HEAD') return next();
    throw new ApiError(503, 'unavailable', `Nothing is accepted here: ${trouble}.`, {
      headers: { 'Retry-After': '5' },
      body: { dependency: 'clock' },
    });
  };
}

import express, { type Express, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import type { AutoModeService } from '../automatic/autoMode.js';
import { autoRoutes } from '../automatic/routes.js';
import type { BackfillService } from '../backfill/backfill.js';
import { backfillRoutes } from '../backfill/routes.js';
import type { EventService } from '../events/events.js';
import { eventRoutes } from '../events/routes.js';
import { requireApiKey } from '../http/apiKey.js';
import { readableFromDashboard } from '../http/cors.js';
import { errorEnvelope, notFound } from '../http/errors.js';
import { requestId } from '../http/requestId.js';
import type { KpiService } from '../kpi/quickcheck.js';
import { kpiRoutes } from '../kpi/routes.js';
import type { PublishService } from '../publishing/publish.js';
import { publishRoutes } from '../publishing/routes.js';
import { schemaRoutes } from '../schema/routes.js';
import type { SchemaService } from '../schema/schemaService.js';
import { healthRoutes } from '../status/healthRoutes.js';
import { statusRoutes } from '../status/routes.js';
import type { StatusService } from '../status/status.js';

export interface AppContext {
  log: Logger;
  apiKey: string;
  corsOrigins: readonly string[];
  corsAllowLocalhost: boolean;
  publish: PublishService;
  auto: AutoModeService;
  backfill: BackfillService;
  events: EventService;
  kpi: KpiService;
  status: StatusService;
  schema: SchemaService;
}

/** The HTTP surface, ready to listen or to be tested; reads no environment and starts nothing. */
export function createApp(context: AppContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(
    pinoHttp({
      logger: context.log,
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
    }),
  );
  app.use(helmet());

  const ami = Router();
  const readable = readableFromDashboard(context.corsOrigins, context.corsAllowLocalhost);
  const requireKey = requireApiKey(context.apiKey);
  publishRoutes(ami, { publish: context.publish, backfill: context.backfill, requireKey, readable });
  autoRoutes(ami, { auto: context.auto, requireKey, readable });
  backfillRoutes(ami, { backfill: context.backfill, requireKey, readable });
  eventRoutes(ami, { events: context.events, requireKey, readable });
  kpiRoutes(ami, context.kpi, readable);
  statusRoutes(ami, context.status, readable);
  schemaRoutes(ami, context.schema, readable);
  app.use('/api/ami', ami);
  healthRoutes(app, context.status);

  app.use(notFound);
  app.use(errorEnvelope);
  return app;
}

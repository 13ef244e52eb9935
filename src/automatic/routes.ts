import type { RequestHandler, Router } from 'express';
import { autoStartRequest, autoStopRequest } from '../contracts/autoRequest.js';
import { SMALL_METER_COUNT } from '../contracts/defaults.js';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { AutoModeService } from './autoMode.js';

interface AutoRoutes {
  auto: AutoModeService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `POST /auto/start`, `/auto/stop`, `GET /auto/status`; `POST /start` and `/stop` are the same with small defaults. */
export function autoRoutes(router: Router, { auto, requireKey, readable }: AutoRoutes): void {
  const advice = 'repeating it is safe, since a tenant has one scheduler';
  const start = (defaults: object): RequestHandler =>
    answerInTime(async (request, response) => {
      const body = parseRequest(autoStartRequest, withDefaults(request.body, defaults), 'The body');
      response.json({ ok: true, ...(await auto.start(body)) });
    }, advice);
  const stop = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(autoStopRequest, request.body, 'The body');
    response.json({ ok: true, ...(await auto.stop(tenantId)) });
  }, advice);
  const status = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await auto.status(tenantId)) });
  });

  resource(router, '/auto/start', { post: [requireKey, ...jsonBody(), start({})] });
  resource(router, '/auto/stop', { post: [requireKey, ...jsonBody(), stop] });
  resource(router, '/start', { post: [requireKey, ...jsonBody(), start({ meterCount: SMALL_METER_COUNT })] });
  resource(router, '/stop', { post: [requireKey, ...jsonBody(), stop] });
  router.use('/auto/status', readable);
  resource(router, '/auto/status', { get: [status] });
}

/** What a body that is an object does not say; a registry has as many meters as it has. */
function withDefaults(body: unknown, defaults: object): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || (body as { fleet?: unknown }).fleet === 'registry') return body;
  return { ...defaults, ...body };
}

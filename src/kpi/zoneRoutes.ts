import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { zoneRequest } from '../contracts/zoneRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { ZoneService } from './zones.js';

interface ZoneRoutes {
  zones: ZoneService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `GET /zone` and `POST /zone`: by whose days a tenant is counted. 202 while its days are still to be counted by it. */
export function zoneRoutes(router: Router, { zones, requireKey, readable }: ZoneRoutes): void {
  const find = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await zones.find(tenantId)) });
  });
  const set = answerInTime(async (request, response) => {
    const { tenantId, timeZone } = parseRequest(zoneRequest, request.body, 'The body');
    const answer = await zones.set(tenantId, timeZone);
    response.status(answer.nextTimeZone === null ? 200 : 202).json({ ok: true, ...answer });
  }, 'repeating it is safe: a zone is set once');
  router.use('/zone', readable);
  resource(router, '/zone', { get: [find], post: [requireKey, ...jsonBody(), set] });
}

import type { RequestHandler, Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { tenantQuery } from '../contracts/fields.js';
import { importParameters } from '../contracts/importRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { ImportService } from './imports.js';

interface ImportRoutes {
  imports: ImportService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `GET /imports`, `GET /imports/:importId`, `POST /imports/:importId/cancel`. */
export function importRoutes(router: Router, { imports, requireKey, readable }: ImportRoutes): void {
  const cancel = answerInTime(async (request, response) => {
    const { importId } = parseRequest(importParameters, request.params, 'The path');
    response.json({ ok: true, ...(await imports.cancel(importId)) });
  }, 'repeating it is safe, since an import ends once');
  resource(router, '/imports/:importId/cancel', { post: [requireKey, cancel] });

  const progress = answerInTime(async (request, response) => {
    const { importId } = parseRequest(importParameters, request.params, 'The path');
    const found = await imports.find(importId);
    if (!found) throw new ApiError(404, 'not_found', `importId ${importId} is not known: no import has it.`);
    response.json({ ok: true, ...found });
  });
  router.use('/imports/:importId', readable);
  resource(router, '/imports/:importId', { get: [progress] });

  const list = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await imports.list(tenantId)) });
  });
  router.use('/imports', readable);
  resource(router, '/imports', { get: [list] });
}

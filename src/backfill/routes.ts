import type { RequestHandler, Router } from 'express';
import { backfillParameters, backfillRequest } from '../contracts/backfillRequest.js';
import { ApiError } from '../contracts/errors.js';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { BackfillService } from './backfill.js';

interface BackfillRoutes {
  backfill: BackfillService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `POST /backfill`, `GET /backfill/:backfillId`, `POST /backfill/:backfillId/cancel`, `GET /backfills`. */
export function backfillRoutes(router: Router, { backfill, requireKey, readable }: BackfillRoutes): void {
  const create = answerInTime(async (request, response) => {
    const body = parseRequest(backfillRequest, request.body, 'The body');
    const accepted = await backfill.create(body, String(request.id));
    response.status(202).json({ ok: true, ...accepted });
  }, 'repeating it is safe: one that is under way is found again');
  resource(router, '/backfill', { post: [requireKey, ...jsonBody(), create] });

  const cancel = answerInTime(async (request, response) => {
    const { backfillId } = parseRequest(backfillParameters, request.params, 'The path');
    response.json({ ok: true, ...(await backfill.cancel(backfillId)) });
  }, 'repeating it is safe, since a backfill ends once');
  resource(router, '/backfill/:backfillId/cancel', { post: [requireKey, cancel] });

  const progress = answerInTime(async (request, response) => {
    const { backfillId } = parseRequest(backfillParameters, request.params, 'The path');
    const found = await backfill.find(backfillId);
    if (!found)
      throw new ApiError(
        404,
        'not_found',
        `backfillId ${backfillId} is not known: no backfill answered with it.`,
      );
    response.json({ ok: true, ...found });
  });
  router.use('/backfill/:backfillId', readable);
  resource(router, '/backfill/:backfillId', { get: [progress] });

  const list = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await backfill.list(tenantId)) });
  });
  router.use('/backfills', readable);
  resource(router, '/backfills', { get: [list] });
}

import type { RequestHandler, Router } from 'express';
import { parseRequest } from '../contracts/parseRequest.js';
import { readsQuery } from '../contracts/readsRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { ReadsService } from './readsPage.js';

interface ReadsRoutes {
  reads: ReadsService;
  readable: RequestHandler;
  requireAnyKey: RequestHandler;
}

/** `GET /reads`: reads of some meters, page by page. They are customers' data: a key is needed, as for exports. */
export function readsRoutes(router: Router, { reads, readable, requireAnyKey }: ReadsRoutes): void {
  const page = answerInTime(async (request, response) => {
    const query = parseRequest(readsQuery, request.query, 'The query');
    response.set('Cache-Control', 'no-store').json({ ok: true, ...(await reads.page(query)) });
  });
  router.use('/reads', readable, requireAnyKey);
  resource(router, '/reads', { get: [page] });
}

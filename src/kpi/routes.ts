import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { KpiService } from './quickcheck.js';

interface KpiRoutes {
  kpi: KpiService;
  readable: RequestHandler;
}

/**
 * `GET /kpi/quickcheck`. Polled by dashboards: a browser sends the tag of what it has, and gets 304 for as long as
 * nothing has changed. Where a KPI view is the customer's own there is no tag: nobody can say whether it has changed.
 */
export function kpiRoutes(router: Router, { kpi, readable }: KpiRoutes): void {
  const quickcheck = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const tag = await kpi.quickcheckTag(tenantId);
    if (!kpi.tagTellsAll) {
      const answer = { ok: true, ...(await kpi.quickcheck(tenantId, tag)) };
      // Not response.json(), which would make a tag of the text.
      response.set('Cache-Control', 'no-store').type('json').end(JSON.stringify(answer));
      return;
    }
    response.set({ ETag: tag, 'Cache-Control': 'no-cache' });
    if (isAmong(tag, request.get('If-None-Match'))) {
      response.status(304).end();
      return;
    }
    response.json({ ok: true, ...(await kpi.quickcheck(tenantId, tag)) });
  });
  router.use('/kpi/quickcheck', readable);
  resource(router, '/kpi/quickcheck', { get: [quickcheck] });
}

/**
 * Whether a caller has what the tag stands for. Not Express's `request.fresh`: that sends it all again to a `fetch`
 * with a tag of its own, which adds `Cache-Control: no-cache`.
 */
function isAmong(tag: string, seen = ''): boolean {
  return seen.split(',').some((one) => one.trim() === tag || one.trim() === '*');
}

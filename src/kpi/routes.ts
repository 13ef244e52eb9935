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
 * `GET /kpi/quickcheck`. Dashboards poll it: a browser sends the tag of what it has, and gets 304 until something
 * changes. If a KPI view is the customer's own there is no tag, since nobody can say whether that view has changed.
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
 * Whether a caller already has the answer of this tag. Express's `request.fresh` does not do: a `fetch` that sends a tag
 * also sends `Cache-Control: no-cache`, and would then get the whole answer again.
 */
function isAmong(tag: string, seen = ''): boolean {
  return seen.split(',').some((one) => one.trim() === tag || one.trim() === '*');
}

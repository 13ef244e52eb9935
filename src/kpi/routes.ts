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
    if (kpi.tagTellsAll && isAmong(tag, request.get('If-None-Match'))) {
      response.set({ ETag: tag, 'Cache-Control': 'no-cache' }).status(304).end();
      return;
    }
    const answer = { ok: true, ...(await kpi.quickcheck(tenantId, tag)) };
    // An answer with warnings lacks a part that the next one may have. With a tag its caller would get 304 from then on.
    if (kpi.tagTellsAll && !('warnings' in answer)) {
      response.set({ ETag: tag, 'Cache-Control': 'no-cache' }).json(answer);
      return;
    }
    // Not response.json(), which would make a tag of the text.
    response.set('Cache-Control', 'no-store').type('json').end(JSON.stringify(answer));
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

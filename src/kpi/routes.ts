import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { resource } from '../http/resource.js';
import { sharedAnswer } from '../http/sharedAnswer.js';
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
  const quickcheck = sharedAnswer(async (request) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const tag = await kpi.quickcheckTag(tenantId);
    const isSeen = kpi.tagTellsAll && isAmong(tag, request.get('If-None-Match'));
    const headers = kpi.tagTellsAll
      ? { ETag: tag, 'Cache-Control': 'no-cache' }
      : { 'Cache-Control': 'no-store' };
    if (isSeen) return { status: 304, headers };
    return { headers, body: { ok: true, ...(await kpi.quickcheck(tenantId, tag)) } };
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

import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { resource } from '../http/resource.js';
import { sharedAnswer } from '../http/sharedAnswer.js';
import { isAmong, tagged } from './entityTag.js';
import type { KpiService } from './quickcheck.js';
import type { SeriesService } from './series.js';
import { seriesRoutes } from './seriesRoutes.js';
import { zoneRoutes } from './zoneRoutes.js';
import type { ZoneService } from './zones.js';

interface KpiRoutes {
  kpi: KpiService;
  series: SeriesService;
  zones: ZoneService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/**
 * `GET /kpi/quickcheck`, and the series beside it. Dashboards poll it: a browser sends the tag of what it has, and gets 304 until something
 * changes. If a KPI view is the customer's own there is no tag, since nobody can say whether that view has changed.
 */
export function kpiRoutes(router: Router, { kpi, series, zones, requireKey, readable }: KpiRoutes): void {
  const quickcheck = sharedAnswer(async (request) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const tag = await kpi.quickcheckTag(tenantId);
    if (kpi.tagTellsAll && isAmong(tag, request.get('If-None-Match')))
      return { status: 304, headers: tagged(tag) };
    const body = { ok: true, ...(await kpi.quickcheck(tenantId, tag)) };
    // An answer with warnings lacks a part that the next one may have. With a tag its caller would get 304 from then on.
    const headers = kpi.tagTellsAll && !('warnings' in body) ? tagged(tag) : UNTAGGED;
    return { headers, body };
  });
  router.use('/kpi/quickcheck', readable);
  resource(router, '/kpi/quickcheck', { get: [quickcheck] });
  seriesRoutes(router, { series, readable });
  zoneRoutes(router, { zones, requireKey, readable });
}

const UNTAGGED = { 'Cache-Control': 'no-store' };

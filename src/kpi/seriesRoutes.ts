import type { Request, RequestHandler, Router } from 'express';
import { LRUCache } from 'lru-cache';
import { parseRequest } from '../contracts/parseRequest.js';
import {
  feederMatrixQuery,
  feederMetersQuery,
  feederParameters,
  feederSeriesQuery,
  meterParameters,
  meterSeriesQuery,
  tenantsQuery,
} from '../contracts/seriesRequest.js';
import { resource } from '../http/resource.js';
import { type SharedAnswer, sharedAnswer } from '../http/sharedAnswer.js';
import { isAmong, tagged, tagOf } from './entityTag.js';
import type { SeriesService } from './series.js';
import { seriesSpan } from './seriesSpan.js';

/** Values of kept answers, some 24 bytes each: a month of hours of 40 feeders has 28,800. */
const KEPT_VALUES = 500_000;

interface SeriesRoutes {
  series: SeriesService;
  readable: RequestHandler;
}

/**
 * `GET /tenants`, `GET /kpi/feeders/intervals`, `GET /kpi/feeders/:feederId/intervals`, `GET /kpi/feeders/:feederId/meters`,
 * `GET /kpi/meters/:meterId/intervals`. Each has a tag: a browser that has the answer gets 304.
 */
export function seriesRoutes(router: Router, { series, readable }: SeriesRoutes): void {
  /** Of series of feeders: who opens the page second has what the first one was shown. */
  const kept = new LRUCache<string, object>({
    maxSize: KEPT_VALUES,
    sizeCalculation: valuesIn,
  });
  /** The tag of a series is known before the series, and costs a fraction of it. */
  const unless = async (
    request: Request,
    tag: string,
    answer: () => Promise<object>,
  ): Promise<SharedAnswer> => {
    if (isAmong(tag, request.get('If-None-Match'))) return { status: 304, headers: tagged(tag) };
    return { headers: tagged(tag), body: { ok: true, ...(await answer()), ...series.staleness() } };
  };
  /** A series for a tag that tells all of it, worked out once. */
  const keeping = async (tag: string, work: () => Promise<object>): Promise<object> => {
    const before = kept.get(tag);
    if (before) return before;
    const answer = await work();
    kept.set(tag, answer);
    return answer;
  };
  /** The tag of what depends on more than rollups is made of the answer. */
  const answered = async (request: Request, body: object): Promise<SharedAnswer> =>
    unless(request, tagOf([request.path, body]), async () => body);

  const routes: Record<string, (request: Request) => Promise<SharedAnswer>> = {
    '/tenants': async (request) =>
      answered(request, await series.tenants(parseRequest(tenantsQuery, request.query, 'The query'))),

    '/kpi/feeders/intervals': async (request) => {
      const { tenantId, measures, ...asked } = parseRequest(feederMatrixQuery, request.query, 'The query');
      const span = seriesSpan(asked);
      const tag = await series.tag(tenantId, span, measures.join());
      return unless(request, tag, () => keeping(tag, () => series.matrix(tenantId, span, measures)));
    },

    '/kpi/feeders/:feederId/intervals': async (request) => {
      const { feederId } = parseRequest(feederParameters, request.params, 'The path');
      const { tenantId, ...asked } = parseRequest(feederSeriesQuery, request.query, 'The query');
      const span = seriesSpan(asked);
      const tag = await series.tag(tenantId, span, `feeder ${feederId}`);
      return unless(request, tag, () => keeping(tag, () => series.feeder(tenantId, feederId, span)));
    },

    '/kpi/feeders/:feederId/meters': async (request) => {
      const { feederId } = parseRequest(feederParameters, request.params, 'The path');
      const query = parseRequest(feederMetersQuery, request.query, 'The query');
      return answered(request, await series.meters(feederId, query));
    },

    '/kpi/meters/:meterId/intervals': async (request) => {
      const { meterId } = parseRequest(meterParameters, request.params, 'The path');
      const { tenantId, ...span } = parseRequest(meterSeriesQuery, request.query, 'The query');
      return answered(request, await series.meter(tenantId, meterId, span));
    },
  };
  router.use(['/tenants', '/kpi/feeders', '/kpi/meters'], readable);
  for (const [path, answer] of Object.entries(routes))
    resource(router, path, { get: [sharedAnswer(answer)] });
}

/** How many values an answer has in its columns, of one feeder or of several; at least 1. */
function valuesIn(answer: object): number {
  const { feeders = [] } = answer as { feeders?: object[] };
  return [answer, ...feeders]
    .flatMap((one): unknown[] => Object.values(one))
    .reduce((sum: number, column) => sum + (Array.isArray(column) ? column.length : 0), 1);
}

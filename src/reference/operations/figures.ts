import { tenantQuery } from '../../contracts/fields.js';
import { quickcheckAnswer } from '../../contracts/quickcheckAnswer.js';
import {
  feederMatrixAnswer,
  feederMetersAnswer,
  feederSeriesAnswer,
  meterSeriesAnswer,
  tenantsAnswer,
} from '../../contracts/seriesAnswer.js';
import {
  feederMatrixQuery,
  feederMetersQuery,
  feederParameters,
  feederSeriesQuery,
  meterParameters,
  meterSeriesQuery,
  tenantsQuery,
} from '../../contracts/seriesRequest.js';
import { zoneAnswer } from '../../contracts/zoneAnswer.js';
import { zoneRequest } from '../../contracts/zoneRequest.js';
import { FEEDER, FEEDER_METERS, MATRIX, METER, QUICKCHECK, TENANTS, ZONE } from '../examples/figures.js';
import { type Operation, taggedAnswers } from '../operation.js';

const HOUR = { from: '2026-01-31T10:00:00Z', to: '2026-01-31T11:00:00Z' };
const SPAN =
  'The span is widened to whole steps. `interval` takes 14 days, `hour` 62 and `day` 366; unless told, spans up to 2 days have intervals, up to 35 days hours, and longer ones days.';

export const figures: Operation[] = [
  {
    method: 'get',
    path: '/api/ami/kpi/quickcheck',
    id: 'getQuickcheck',
    tag: 'Key figures',
    summary: 'What a dashboard shows',
    description:
      'Made to be polled. A tenant without data gets nulls and empty lists. Where a KPI view is your own, there is no `ETag`, and its rows may lack any field.',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('The key figures.', quickcheckAnswer, QUICKCHECK),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/zone',
    id: 'getZone',
    tag: 'Key figures',
    summary: 'By whose days a tenant is counted',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: {
      200: { description: 'The zone; UTC unless one was set.', schema: zoneAnswer, examples: { utc: ZONE } },
    },
    errors: [],
  },
  {
    method: 'post',
    path: '/api/ami/zone',
    id: 'setZone',
    tag: 'Key figures',
    summary: 'Say by whose days a tenant is counted',
    description:
      'Daily figures are by the days of this zone from then on, those of the past too. A tenant with reads has its days counted anew by a worker, within seconds; until then every answer is by the zone before.',
    key: 'write',
    body: {
      schema: zoneRequest,
      examples: { berlin: { tenantId: 'LOCAL_TENANT', timeZone: 'Europe/Berlin' } },
    },
    answers: {
      200: {
        description: 'It is in force.',
        schema: zoneAnswer,
        examples: { berlin: { ...ZONE, tenantId: 'LOCAL_TENANT', timeZone: 'Europe/Berlin' } },
      },
      202: {
        description: 'The days are being counted by it.',
        schema: zoneAnswer,
        examples: { berlin: { ...ZONE, nextTimeZone: 'Europe/Berlin' } },
      },
    },
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/tenants',
    id: 'listTenants',
    tag: 'Key figures',
    summary: 'The tenants there are',
    key: 'read',
    query: tenantsQuery,
    given: { limit: '50' },
    answers: taggedAnswers('A page of them, by name.', tenantsAnswer, TENANTS),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/kpi/feeders/intervals',
    id: 'getFeederMatrix',
    tag: 'Key figures',
    summary: 'Some figures of all feeders over time',
    description: SPAN,
    key: 'read',
    query: feederMatrixQuery,
    given: { tenantId: 'DEMO_TENANT', ...HOUR, resolution: 'interval', measures: 'lossPct,completenessPct' },
    answers: taggedAnswers('A column for each measure of each feeder.', feederMatrixAnswer, MATRIX),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/kpi/feeders/{feederId}/intervals',
    id: 'getFeederSeries',
    tag: 'Key figures',
    summary: 'All figures of one feeder over time',
    description: SPAN,
    key: 'read',
    parameters: feederParameters,
    query: feederSeriesQuery,
    given: { feederId: 'FEEDER_7', tenantId: 'DEMO_TENANT', ...HOUR, resolution: 'interval' },
    answers: taggedAnswers('A column for each figure.', feederSeriesAnswer, FEEDER),
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/kpi/feeders/{feederId}/meters',
    id: 'listFeederMeters',
    tag: 'Key figures',
    summary: 'The meters of a feeder in one interval',
    description:
      '`at` is the start of the interval, the latest complete one unless told. Silent meters are listed, and come last in an order of numbers.',
    key: 'read',
    parameters: feederParameters,
    query: feederMetersQuery,
    given: {
      feederId: 'FEEDER_7',
      tenantId: 'DEMO_TENANT',
      at: '2026-01-31T10:30:00Z',
      sort: 'suspicious',
      order: 'desc',
      limit: '100',
    },
    answers: taggedAnswers('A page of them.', feederMetersAnswer, FEEDER_METERS),
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/kpi/meters/{meterId}/intervals',
    id: 'getMeterSeries',
    tag: 'Key figures',
    summary: 'One meter’s intervals, its flags and its events',
    description: 'At most 35 days.',
    key: 'read',
    parameters: meterParameters,
    query: meterSeriesQuery,
    given: { meterId: 'DEMO_TENANT-MTR-00007', tenantId: 'DEMO_TENANT', ...HOUR },
    answers: taggedAnswers('A column for each figure.', meterSeriesAnswer, METER),
    errors: ['not_found'],
  },
];

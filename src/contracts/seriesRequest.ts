import { z } from 'zod';
import { invalidField } from './errors.js';
import { feederId, meterId } from './eventRequest.js';
import { boundary, instant, shownAsInteger, tenantId } from './fields.js';
import { requireThisCentury } from './instants.js';
import { MS_PER_DAY } from './intervals.js';

/** What the routes of series and lists take. Queries may have parameters of their callers' own. */

export const RESOLUTIONS = ['interval', 'hour', 'day'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Figures that the matrix of all feeders can have. */
export const MEASURES = [
  'lossPct',
  'completenessPct',
  'minVoltage',
  'kwh',
  'deliveredKwh',
  'estimatedPct',
  'receivedKwh',
] as const;
export type Measure = (typeof MEASURES)[number];

/** Days of one answer: 40 feeders have 53,760 values of one measure in 14 days of quarter hours. */
export const MOST_DAYS: Record<Resolution, number> = { interval: 14, hour: 62, day: 366 };
/** Days of one meter's intervals: 3,360 of them. */
export const MOST_METER_DAYS = 35;

const resolution = z
  .enum(RESOLUTIONS, 'must be interval, hour or day')
  .optional()
  .describe('How long a step is. Left out: by the length of the span.');
const from = instant.describe('The beginning of the span.');
const to = instant.describe('The end of the span, exclusive.');
const ofPageBefore = '`next` of the page before.';
const measuresForm = `must be a list of ${MEASURES.join(', ')}, with commas between them`;
const MEASURE = `(${MEASURES.join('|')})`;
const measures = z
  .string(measuresForm)
  .regex(new RegExp(`^${MEASURE}(,${MEASURE})*$`), measuresForm)
  .transform((list) => [...new Set(list.split(','))] as Measure[]);

const pageForm = (most: number): string => `must be a whole number from 1 to ${most}`;
/** How many entries a page has, from 1 to `most`. */
export const pageOf = (most: number, usual: number) =>
  z
    .string(pageForm(most))
    .regex(/^\d{1,4}$/, pageForm(most))
    .transform(Number)
    .refine((value) => value >= 1 && value <= most, pageForm(most))
    .default(usual)
    .meta(shownAsInteger(most, usual));

/** Query of `GET /tenants`. */
export const tenantsQuery = z.object({
  limit: pageOf(200, 50),
  after: tenantId.optional().describe(ofPageBefore),
});
export type TenantsQuery = z.infer<typeof tenantsQuery>;

/** Query of `GET /kpi/feeders/:feederId/intervals`. */
export const feederSeriesQuery = z.object({ tenantId, from, to, resolution });
/** Query of `GET /kpi/feeders/intervals`. */
export const feederMatrixQuery = feederSeriesQuery.extend({
  measures: measures
    .default(['lossPct'])
    .meta({ default: 'lossPct', description: 'What to show of each feeder: a list with commas.' }),
});
/** Query of `GET /kpi/meters/:meterId/intervals`. */
export const meterSeriesQuery = z.object({ tenantId, from, to });

export const METER_ORDERS = ['meterId', 'suspicious', 'missingKwh', 'kwh', 'voltage'] as const;

/** Query of `GET /kpi/feeders/:feederId/meters`. */
export const feederMetersQuery = z.object({
  tenantId,
  at: boundary.optional().describe('The start of the interval. Left out: the latest complete one.'),
  sort: z.enum(METER_ORDERS, `must be one of ${METER_ORDERS.join(', ')}`).default('meterId'),
  order: z.enum(['asc', 'desc'], 'must be asc or desc').default('asc'),
  limit: pageOf(1_000, 100),
  after: meterId.optional().describe(ofPageBefore),
});
export type FeederMetersQuery = z.infer<typeof feederMetersQuery>;

/** Parameters in the path of the routes of one feeder, and of one meter. */
export const feederParameters = z.object({ feederId });
export const meterParameters = z.object({ meterId });

/**
 * Checks what one field alone cannot tell about a span.
 *
 * @throws ApiError 400 when it is empty, begins before 2000, or is longer than `mostDays`.
 */
export function requireSpan(from: Date, to: Date, mostDays: number, advice = ''): void {
  if (from >= to) throw invalidField('from', `must lie before to, which is ${to.toISOString()}`);
  requireThisCentury('from', from);
  if (to.getTime() - from.getTime() <= mostDays * MS_PER_DAY) return;
  throw invalidField('from', `must lie within ${mostDays} days before to${advice}`);
}

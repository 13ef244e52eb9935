import { z } from 'zod';
import { invalidField } from './errors.js';
import { feederId, meterId } from './eventRequest.js';
import { instant, tenantId } from './fields.js';
import { requireThisCentury } from './instants.js';
import { MS_PER_DAY } from './intervals.js';

/** What the routes of series and lists take. Queries may have parameters of their callers' own. */

export const RESOLUTIONS = ['interval', 'hour', 'day'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Figures that the matrix of all feeders can have. */
export const MEASURES = ['lossPct', 'completenessPct', 'minVoltage', 'kwh', 'deliveredKwh'] as const;
export type Measure = (typeof MEASURES)[number];

/** Days of one answer: 40 feeders have 53,760 values of one measure in 14 days of quarter hours. */
export const MOST_DAYS: Record<Resolution, number> = { interval: 14, hour: 62, day: 366 };
/** Days of one meter's intervals: 3,360 of them. */
export const MOST_METER_DAYS = 35;

const resolution = z.enum(RESOLUTIONS, 'must be interval, hour or day').optional();
const measuresForm = `must be a list of ${MEASURES.join(', ')}, with commas between them`;
const isMeasure = (name: string): name is Measure => (MEASURES as readonly string[]).includes(name);
const measures = z.string(measuresForm).transform((list, { addIssue }) => {
  const names = [...new Set(list.split(','))];
  if (!names.every(isMeasure)) addIssue(measuresForm);
  return names.filter(isMeasure);
});

const pageForm = (most: number): string => `must be a whole number from 1 to ${most}`;
const pageOf = (most: number, usual: number) =>
  z
    .string(pageForm(most))
    .regex(/^\d{1,4}$/, pageForm(most))
    .transform(Number)
    .refine((value) => value >= 1 && value <= most, pageForm(most))
    .default(usual);

/** Query of `GET /tenants`. */
export const tenantsQuery = z.object({ limit: pageOf(200, 50), after: tenantId.optional() });
export type TenantsQuery = z.infer<typeof tenantsQuery>;

/** Query of `GET /kpi/feeders/:feederId/intervals`. */
export const feederSeriesQuery = z.object({ tenantId, from: instant, to: instant, resolution });
/** Query of `GET /kpi/feeders/intervals`. */
export const feederMatrixQuery = feederSeriesQuery.extend({ measures: measures.default(['lossPct']) });
/** Query of `GET /kpi/meters/:meterId/intervals`. */
export const meterSeriesQuery = z.object({ tenantId, from: instant, to: instant });

export const METER_ORDERS = ['meterId', 'missingKwh', 'kwh', 'voltage'] as const;

/** Query of `GET /kpi/feeders/:feederId/meters`. */
export const feederMetersQuery = z.object({
  tenantId,
  at: instant.optional(),
  sort: z.enum(METER_ORDERS, `must be one of ${METER_ORDERS.join(', ')}`).default('meterId'),
  order: z.enum(['asc', 'desc'], 'must be asc or desc').default('asc'),
  limit: pageOf(1_000, 100),
  after: meterId.optional(),
});
export type FeederMetersQuery = z.infer<typeof feederMetersQuery>;

export { feederId as feederParameter, meterId as meterParameter };

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

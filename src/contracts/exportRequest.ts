import { z } from 'zod';
import { invalidField } from './errors.js';
import { feederId, meterId } from './eventRequest.js';
import { instant, tenantId } from './fields.js';
import { MAX_METER_ID_LENGTH } from './limits.js';

/** What reads can be exported as. */
export const EXPORT_FORMATS = ['csv', 'csv-wide', 'green-button', 'nem12', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
/** Local days of one export over HTTP. */
export const MOST_EXPORT_DAYS = 366;
/** Meters that one export may name. */
export const MOST_EXPORT_METERS = 1_000;

export const EXPORT_QUALITIES = ['raw', 'validated', 'estimated', 'edited', 'questionable'] as const;
export type ExportQuality = (typeof EXPORT_QUALITIES)[number];

const dayForm = 'must be a day, for example "2026-01-31"';
const day = z.iso.date(dayForm).refine((text) => text >= '2000-01-01' && text < '2100-01-01', {
  error: 'must be a day from 2000 to 2099',
});
const metersForm = `must be 1 to ${MOST_EXPORT_METERS} meter ids with commas between them, each of up to ${MAX_METER_ID_LENGTH} characters`;
const NO_METER = /[\0\p{Cs}]/u;
/** Meters as one text with commas between their ids. */
export const meters = z
  .string(metersForm)
  .transform((list) => [...new Set(list.split(','))])
  .refine(
    (ids) =>
      ids.length <= MOST_EXPORT_METERS &&
      ids.every((id) => id !== '' && [...id].length <= MAX_METER_ID_LENGTH && !NO_METER.test(id)),
    metersForm,
  )
  .optional()
  .meta({ type: 'string', description: 'These meters alone: ids with commas between them.' });
/** Meters as a parameter that may be repeated: an id with a comma has no other way. */
export const meter = z
  .union([meterId.transform((id) => [id]), z.array(meterId).min(1).max(MOST_EXPORT_METERS)], {
    error: `must be a meter id, repeated for up to ${MOST_EXPORT_METERS} of them`,
  })
  .optional()
  .meta({
    type: 'array',
    items: { type: 'string' },
    maxItems: MOST_EXPORT_METERS,
    description:
      'This meter alone, whatever its id has in it. It may be repeated, and stand beside `meters`.',
  });

/**
 * The meters that a request names, each once; undefined where it names none.
 *
 * @throws ApiError 400 for more than one request may name.
 */
export function metersAsked(asked: {
  meters?: string[] | undefined;
  meter?: string[] | undefined;
}): string[] | undefined {
  if (asked.meters === undefined && asked.meter === undefined) return undefined;
  const ids = [...new Set([...(asked.meters ?? []), ...(asked.meter ?? [])])];
  if (ids.length <= MOST_EXPORT_METERS) return ids;
  throw invalidField('meters', `and meter must name ${MOST_EXPORT_METERS} meters at most, together`);
}

const qualitiesForm = `must be a list of ${EXPORT_QUALITIES.join(', ')}, with commas between them`;
const QUALITY = `(${EXPORT_QUALITIES.join('|')})`;

export const qualities = z
  .string(qualitiesForm)
  .regex(new RegExp(`^${QUALITY}(,${QUALITY})*$`), qualitiesForm)
  .transform((list) => [...new Set(list.split(','))] as ExportQuality[])
  .optional()
  .meta({ description: 'Reads of these qualities alone: a list with commas.' });
export const asOf = instant
  .optional()
  .describe(
    'The reads as they stood at this instant: what was replaced since has its former value. Left out: now.',
  );

/** Query of `GET /api/ami/exports`. */
export const exportQuery = z.object({
  tenantId,
  from: day.describe('The first local day.'),
  to: day.describe(`The last local day, itself included: at most ${MOST_EXPORT_DAYS} days.`),
  format: z.enum(EXPORT_FORMATS, `must be one of ${EXPORT_FORMATS.join(', ')}`),
  meters,
  meter,
  feederId: feederId.optional().describe('The meters of this feeder alone.'),
  quality: qualities,
  asOf,
  zone: z
    .string()
    .max(64, 'must be a time zone, for example "America/New_York", "UTC" or "+10:00"')
    .regex(/^[A-Za-z0-9_+:/-]+$/, 'must be a time zone, for example "America/New_York", "UTC" or "+10:00"')
    .optional()
    .describe('Whose days they are: UTC unless told, and always +10:00 of NEM12.'),
});
export type ExportQuery = z.infer<typeof exportQuery>;

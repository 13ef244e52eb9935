import { z } from 'zod';
import { asOf, meter, meters, qualities } from './exportRequest.js';
import { instant, tenantId } from './fields.js';
import { MAX_METER_ID_LENGTH } from './limits.js';
import { pageOf } from './seriesRequest.js';

/** Days of one request: 62 days of a meter that is read every 5 minutes are 17,856 reads. */
export const MOST_READS_DAYS = 62;
/** Reads of a page. */
export const MOST_READS = 5_000;
const USUAL_READS = 1_000;

/** A place behind a read: its start in microseconds, and its meter. */
export interface ReadsPlace {
  startUs: number;
  meterId: string;
}

const placeForm = 'must be as `next` of the page before says';
const PLACE = new RegExp(`^(-?\\d{1,16})~(.{1,${MAX_METER_ID_LENGTH * 2}})$`, 'su');

/** Query of `GET /api/ami/reads`. */
export const readsQuery = z.object({
  tenantId,
  from: instant.describe('The beginning of the span.'),
  to: instant.describe(`The end of the span, exclusive: at most ${MOST_READS_DAYS} days later.`),
  meters,
  meter,
  quality: qualities,
  asOf,
  limit: pageOf(MOST_READS, USUAL_READS),
  after: z
    .string(placeForm)
    .regex(PLACE, placeForm)
    .transform((text): ReadsPlace => {
      const [, startUs = '', meterId = ''] = PLACE.exec(text) ?? [];
      return { startUs: Number(startUs), meterId };
    })
    .optional()
    .meta({ type: 'string', description: '`next` of the page before.' }),
});
export type ReadsQuery = z.infer<typeof readsQuery>;

/** A place as `readsQuery` takes it. */
export function placeText({ startUs, meterId }: ReadsPlace): string {
  return `${startUs}~${meterId}`;
}

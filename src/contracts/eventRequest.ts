import { z } from 'zod';
import { invalidField } from './errors.js';
import { boolean, instant, positiveInteger, tenantId } from './fields.js';
import { requireThisCentury } from './instants.js';
import { MS_PER_DAY } from './intervals.js';
import { MAX_EVENT_METER_IDS, MAX_METER_ID_LENGTH } from './limits.js';

/** A customer's own feeder names may come from any script and hold spaces, but no control characters. */
const feederId = z
  .string('must be a string, for example "FEEDER_7"')
  .regex(
    /^(?! )[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}(?<! )$/u,
    'must be 1 to 64 printable characters, for example "FEEDER_7"',
  );

const share = 'must be a number from 0 to 1';
const fraction = 'must be a number over 0 and up to 1';
const meterIds = `must be a list of 1 to ${MAX_EVENT_METER_IDS} different meter ids`;

const meterId = `must be a meter id, 1 to ${MAX_METER_ID_LENGTH} printable characters`;
const METER_ID = new RegExp(`^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]{1,${MAX_METER_ID_LENGTH}}$`, 'u');

/** Body of `POST /api/ami/event/<type>`; unknown fields are refused, since a misspelt one would be ignored. */
export const eventRequest = z
  .strictObject({
    tenantId,
    feederId,
    durationMinutes: positiveInteger,
    severity: z.number(share).min(0, share).max(1, share).default(0.5),
    startAt: instant.optional(),
    meterIds: z
      .array(z.string(meterId).regex(METER_ID, meterId), meterIds)
      .min(1, meterIds)
      .max(MAX_EVENT_METER_IDS, meterIds)
      .refine((ids) => new Set(ids).size === ids.length, meterIds)
      .optional(),
    meterFraction: z
      .number(fraction)
      .refine((value) => value > 0 && value <= 1, fraction)
      .optional(),
    applyNow: boolean.default(false),
  })
  .refine((event) => event.meterIds === undefined || event.meterFraction === undefined, {
    path: ['meterFraction'],
    message: 'must not be given together with meterIds: an event takes one of them',
  });
export type EventRequest = z.infer<typeof eventRequest>;

/** Query of `GET /api/ami/events`. */
export const eventsQuery = z.object({
  tenantId,
  active: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((value) => value === 'true')
    .optional(),
});

/** Any UUID: a row made by hand need not have the version bits. */
export const eventId = z.guid('must be the id that an event was answered with (a UUID)');

/** 30 days: a longer event is a new normal rather than a pilot's event. */
export const MAX_EVENT_MINUTES = 43_200;

const DAYS_AHEAD = 366;

/**
 * Checks what one field alone cannot tell about `startAt`.
 *
 * @throws ApiError 400 when it lies before 2000 or more than 366 days ahead.
 */
export function requireStartInRange(startAt: Date, now: Date): void {
  requireThisCentury('startAt', startAt);
  if (startAt.getTime() - now.getTime() > DAYS_AHEAD * MS_PER_DAY)
    throw invalidField('startAt', `must not lie more than ${DAYS_AHEAD} days ahead`);
}

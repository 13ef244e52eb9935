import { z } from 'zod';
import { invalidField } from './errors.js';
import { boolean, instant, positiveInteger, shownAsInteger, tenantId } from './fields.js';
import { requireThisCentury } from './instants.js';
import { MS_PER_DAY } from './intervals.js';
import { MAX_EVENT_METER_IDS, MAX_METER_ID_LENGTH } from './limits.js';

/**
 * Characters of a feeder's id that a request may carry at all. An index key of Postgres ends at 2,704 bytes, so a feeder
 * with a longer id has no rollups and cannot have been published.
 */
const MAX_FEEDER_ID = 512;

const feederForm = 'must be a feeder, for example "FEEDER_7"';
/** Whatever a registry can hold: its ids are the customer's own. `requireNewFeederId` is stricter with names nobody knows. */
export const feederId = z
  .string(feederForm)
  .min(1, feederForm)
  .superRefine((id, { addIssue }) => {
    const characters = [...id];
    const at = characters.findIndex((one) => NOT_STORABLE.test(one));
    if (at >= 0) addIssue(`must not have ${named(characters, at)}: no text in Postgres holds that`);
    else if (characters.length > MAX_FEEDER_ID)
      addIssue(`must have at most ${MAX_FEEDER_ID} characters; this one has ${characters.length}`);
  })
  .meta({
    maxLength: MAX_FEEDER_ID,
    description: 'A feeder, by its id or by a name that the registry knows it by.',
  });

/** NUL, and half of a surrogate pair. */
const NOT_STORABLE = /[\0\p{Cs}]/u;
const MAX_NEW_FEEDER_ID = 64;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/**
 * Checks a feeder that neither the registry nor a publish knows. Any script and spaces within are fine. Control and
 * invisible characters are refused, since such a name is more likely a slip than a feeder to come.
 *
 * @throws ApiError 400 that names the first character that is wrong, or the length.
 */
export function requireNewFeederId(id: string): void {
  const problem = problemOfNewFeeder([...id]);
  if (problem)
    throw invalidField(
      'feederId',
      `${problem}; the tenant's registry has no such feeder, and a new name must be 1 to ${MAX_NEW_FEEDER_ID} printable characters, for example "FEEDER_7"`,
    );
}

function problemOfNewFeeder(characters: readonly string[]): string | undefined {
  const at = characters.findIndex((one) => !PRINTABLE.test(one));
  if (at >= 0) return `has ${named(characters, at)}`;
  if (characters[0] === ' ' || characters.at(-1) === ' ') return 'has a space at an end';
  if (characters.length > MAX_NEW_FEEDER_ID) return `has ${characters.length} characters`;
  return undefined;
}

/** `the character U+200B at position 3`: by its number, since what is invisible cannot be shown. */
function named(characters: readonly string[], at: number): string {
  const code = (characters[at] as string).codePointAt(0) as number;
  return `the character U+${code.toString(16).toUpperCase().padStart(4, '0')} at position ${at + 1}`;
}

/** What becomes of the reads that an outage keeps away: they are lost, or the meters keep and deliver them after it. */
export const DELIVERIES = ['lost', 'late'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** How a theft changes what the meter registers; the formulas stand in `emulator/events/theftForms.ts`. */
export const THEFT_FORMS = ['constant', 'random', 'window', 'mean-factor', 'mean', 'reversed'] as const;
export type TheftForm = (typeof THEFT_FORMS)[number];

const share = 'must be a number from 0 to 1';
const fraction = 'must be a number over 0 and up to 1';
const meterIds = `must be a list of 1 to ${MAX_EVENT_METER_IDS} different meter ids`;

const meterForm = `must be a meter id, 1 to ${MAX_METER_ID_LENGTH} characters without control characters`;
const METER_ID = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_METER_ID_LENGTH}}$`, 'u');
export const meterId = z.string(meterForm).regex(METER_ID, meterForm).meta({ pattern: METER_ID.source });

export const eventFields = {
  tenantId,
  feederId,
  durationMinutes: positiveInteger.describe('At most 43,200, which is 30 days.'),
  severity: z
    .number(share)
    .min(0, share)
    .max(1, share)
    .default(0.5)
    .describe('What it means depends on the event.'),
  startAt: instant.optional().describe('Left out: now, by the tenant’s clock.'),
  meterIds: z
    .array(meterId, meterIds)
    .min(1, meterIds)
    .max(MAX_EVENT_METER_IDS, meterIds)
    .refine((ids) => new Set(ids).size === ids.length, meterIds)
    .meta({ uniqueItems: true, description: 'These meters alone. Not together with `meterFraction`.' })
    .optional(),
  meterFraction: z
    .number(fraction)
    .refine((value) => value > 0 && value <= 1, fraction)
    .meta({ exclusiveMinimum: 0, maximum: 1, description: 'This share of the feeder’s meters alone.' })
    .optional(),
  applyNow: boolean.default(false).describe('Revises the latest published interval that the event overlaps.'),
};

export const delivery = z
  .enum(DELIVERIES, 'must be "lost" or "late"')
  .default('lost')
  .describe(
    'What becomes of the reads: they never come, or the meters keep them and deliver them after the outage.',
  );
const forms = `must be one of ${THEFT_FORMS.map((name) => `"${name}"`).join(', ')}`;
export const form = z
  .enum(THEFT_FORMS, forms)
  .default('constant')
  .describe(
    'How the theft changes what is registered: by one factor, by a factor drawn for each interval, to zero for a part of each day, to a drawn factor of the day’s mean, to the mean itself, or to the day read backwards.',
  );

export const hasOneSelection = (event: {
  meterIds?: string[] | undefined;
  meterFraction?: number | undefined;
}): boolean => event.meterIds === undefined || event.meterFraction === undefined;
export const ONE_SELECTION = {
  path: ['meterFraction'],
  message: 'must not be given together with meterIds: an event takes one of them',
};

/** Body of `POST /api/ami/event/<type>`; unknown fields are refused, since a misspelt one would be ignored. */
export const eventRequest = z.strictObject(eventFields).refine(hasOneSelection, ONE_SELECTION);

/** Body of `POST /api/ami/event/comms-outage`. */
export const outageRequest = z
  .strictObject({
    ...eventFields,
    delivery,
  })
  .refine(hasOneSelection, ONE_SELECTION);

/** Body of `POST /api/ami/event/theft`. */
export const theftRequest = z.strictObject({ ...eventFields, form }).refine(hasOneSelection, ONE_SELECTION);
export type EventRequest = z.infer<typeof eventRequest> & { delivery?: Delivery; form?: TheftForm };

/** The shape of the body for each type of event. */
export const EVENT_REQUESTS = {
  theft: theftRequest,
  'comms-outage': outageRequest,
  'voltage-sag': eventRequest,
} as const;

/** Events on one page, unless fewer are asked for. */
const MAX_EVENTS_LISTED = 200;
const limit = `must be a whole number from 1 to ${MAX_EVENTS_LISTED}`;

/** Query of `GET /api/ami/events`. */
export const eventsQuery = z.object({
  tenantId,
  active: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((value) => value === 'true')
    .optional()
    .describe('Events that are, or are not, under way. Left out: both.'),
  limit: z
    .string(limit)
    .regex(/^\d{1,3}$/, limit)
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_EVENTS_LISTED, limit)
    .default(MAX_EVENTS_LISTED)
    .meta(shownAsInteger(MAX_EVENTS_LISTED, MAX_EVENTS_LISTED)),
  after: z
    .guid('must be the id of an event (a UUID), as `next` of the page before says')
    .optional()
    .describe('`next` of the page before.'),
});

export type EventsQuery = z.infer<typeof eventsQuery>;

/** Parameters in the path of the routes of one event. Any UUID: a row made by hand need not have the version bits. */
export const eventParameters = z.object({
  id: z.guid('must be the id that an event was answered with (a UUID)'),
});

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

import { z } from 'zod';

/**
 * A tenant's name becomes part of every meter id and of log lines, so it is held to characters that need no
 * quoting anywhere.
 */
export const tenantId = z
  .string('must be a string, for example "DEMO_TENANT"')
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')
  .describe('Whose meters: 1 to 64 letters, digits, ".", "_" or "-".');

/** With a default, that has to be in `meta` too: of a number with a type of its own the reference shows no other. */
export const positiveInteger = z
  .number('must be a positive whole number')
  .refine((value) => Number.isInteger(value) && value > 0, 'must be a positive whole number')
  // What the function above checks, for the API reference.
  .meta({ type: 'integer', minimum: 1 });

/** How the API reference shows a parameter of a query that is text, as all of them are, and has to be a whole number. */
export const shownAsInteger = (most: number, usual: number) => ({
  type: 'integer',
  minimum: 1,
  maximum: most,
  default: usual,
});

export const boolean = z.boolean('must be true or false');
const instantForm = z.iso.datetime({
  offset: true,
  error: 'must be an ISO 8601 instant with a zone, for example "2026-01-31T10:15:00Z"',
});
export const instant = instantForm.transform((value) => new Date(value));

/** More than three digits after the point, of which one beyond the third is no zero. */
const WITHIN_A_MILLISECOND = /\.\d{3}\d*[1-9]/;
/** An instant that has to lie on a boundary: `Date` forgets what lies within a millisecond, which no boundary has. */
export const boundary = instantForm
  .refine(
    (value) => !WITHIN_A_MILLISECOND.test(value),
    'must lie on a boundary, which has no fraction of a millisecond',
  )
  .transform((value) => new Date(value));

/** Query of the routes that answer for one tenant. */
export const tenantQuery = z.object({ tenantId });

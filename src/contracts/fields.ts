import { z } from 'zod';

/**
 * A tenant's name becomes part of every meter id and of log lines, so it is held to characters that need no
 * quoting anywhere.
 */
export const tenantId = z
  .string('must be a string, for example "DEMO_TENANT"')
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"');

export const positiveInteger = z
  .number('must be a positive whole number')
  .refine((value) => Number.isInteger(value) && value > 0, 'must be a positive whole number');

export const boolean = z.boolean('must be true or false');
export const instant = z.iso
  .datetime({
    offset: true,
    error: 'must be an ISO 8601 instant with a zone, for example "2026-01-31T10:15:00Z"',
  })
  .transform((value) => new Date(value));

/** Query of the routes that answer for one tenant. */
export const tenantQuery = z.object({ tenantId });

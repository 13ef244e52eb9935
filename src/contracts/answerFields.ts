import { z } from 'zod';

/** What answers have in common, as it stands in their JSON. */

export const ok = z.literal(true).describe('Always true; a failure has false.');
export const tenantName = z.string().describe('The tenant that was asked for.');
/** An instant as answers write it: UTC, to the millisecond. */
export const instantText = z.iso.datetime();
/** A number of things. */
export const count = z.int().nonnegative();
/** Percent, null where there is nothing to have a share of. */
export const percentage = z.number().nullable();
/** A calendar day in UTC, `2026-01-31`. */
export const dayText = z.iso.date();

export const intervalStart = instantText.describe('When the interval begins, UTC.');
export const intervalEnd = instantText.describe('When the interval ends, exclusive.');

export const safetyWarnings = z
  .array(z.string())
  .describe('A sentence for each number that was moved to a limit, and for what the caller may not expect.');

/** Only where reads may come from a standby (DATABASE_READ_URL). */
export const maxStalenessSeconds = z
  .number()
  .nonnegative()
  .optional()
  .describe('How old the answer is at most, in seconds. Only with a standby that is read from.');

/** Jobs of one queue, by state. */
export const queueCounts = {
  waiting: count,
  delayed: count.describe('Accepted, and due later by the pace.'),
  active: count,
  failed: count,
  completed: count.describe('Jobs of this tenant that were done in the last hour.'),
};

import { z } from 'zod';
import { count, instantText, ok, tenantName } from './answerFields.js';
import { EXPORT_QUALITIES } from './exportRequest.js';
import { MOST_READS } from './readsRequest.js';

const kwh = z.number().nullable();

/** `GET /reads`. */
export const readsAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    from: instantText,
    to: instantText,
    asOf: instantText.nullable().describe('The instant that the reads are as of; null: as they are now.'),
    reads: z
      .array(
        z.strictObject({
          meterId: z.string(),
          feederId: z.string(),
          start: instantText.describe('Of the interval.'),
          minutes: count.describe('Length of the interval.'),
          kwh: kwh.describe('From the grid. An export has all of its digits.'),
          receivedKwh: kwh.describe('Into the grid.'),
          deliveredKwh: kwh.describe('What the utility’s side measured.'),
          voltage: z.number().nullable().describe('V.'),
          quality: z.enum(EXPORT_QUALITIES),
          method: z.string().optional().describe('How an estimate or a change came about.'),
          writtenAt: instantText.nullable().describe('When this value was written.'),
          replacedAt: instantText
            .optional()
            .describe('When it was replaced: it does not stand there any more.'),
        }),
      )
      .max(2 * MOST_READS)
      .describe('By meter, in the order in which they were asked for, and start.'),
    unknown: count.describe(
      'Reads of the page’s meters and span that were changed since `asOf` with no former value kept: left out.',
    ),
    next: z
      .string()
      .optional()
      .describe('What to ask with as `after` for those that follow; left out on the last page.'),
  })
  .meta({ id: 'Reads' });

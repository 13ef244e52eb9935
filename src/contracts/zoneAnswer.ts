import { z } from 'zod';

/** What `GET /zone` and `POST /zone` answer. */
export const zoneAnswer = z.object({
  ok: z.literal(true),
  tenantId: z.string(),
  timeZone: z.string().describe('The zone by whose days the tenant is counted now.'),
  nextTimeZone: z
    .string()
    .nullable()
    .describe(
      'The zone that the days are being counted by: from then on it is `timeZone`. Null when none is.',
    ),
});

import { z } from 'zod';

/** Parameters in the path of the routes of one import. */
export const importParameters = z.object({
  importId: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be the importId that an import answered with, a whole number')
    .transform(Number),
});

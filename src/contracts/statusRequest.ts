import { z } from 'zod';

/** Query of `GET /readyz`. A probe may carry parameters of its own; only this one says something to us. */
export const readinessQuery = z.object({
  require: z
    .literal('worker', 'must be worker, or be left out')
    .optional()
    .describe('Not ready without a worker that does jobs.'),
});

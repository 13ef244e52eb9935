import { z } from 'zod';
import { DEFAULT_BATCH_SIZE } from './defaults.js';
import { boolean, instant, positiveInteger, tenantId } from './fields.js';
import { INTERVAL_MINUTES, type IntervalMinutes } from './limits.js';
import { climate, DEFAULT_CLIMATE, DEFAULT_TIME_ZONE, timeZone } from './place.js';

const intervalMinutes = z.union(
  [z.literal(INTERVAL_MINUTES[0]), z.literal(INTERVAL_MINUTES[1])],
  'must be 15 or 60',
) satisfies z.ZodType<IntervalMinutes>;

const SEED_FORM = 'must be a whole number or 1 to 64 printable ASCII characters';

/** The same seed gives the same reads, whether written as a number or as its digits. */
const seed = z.union(
  // Of the right type a value is judged by that one's message alone.
  [
    z.string().regex(/^[\x20-\x7e]{1,64}$/, SEED_FORM),
    z.number().refine(Number.isInteger, SEED_FORM).transform(String),
  ],
  SEED_FORM,
);

/** Body of `POST /api/ami/publish-once`; unknown fields are refused, since a misspelt cap would be ignored. */
export const publishOnceRequest = z.strictObject({
  tenantId,
  intervalMinutes: intervalMinutes.default(15),
  batchSize: positiveInteger.default(DEFAULT_BATCH_SIZE),
  // Without them a small synthetic fleet, or all of a registry.
  meterCount: positiveInteger.optional(),
  feederCount: positiveInteger.optional(),
  dryRun: boolean.default(false),
  seed: seed.optional(),
  fleet: z.enum(['synthetic', 'registry'], 'must be "synthetic" or "registry"').default('synthetic'),
  onConflict: z.enum(['nothing', 'update'], 'must be "nothing" or "update"').default('nothing'),
  readAt: instant.optional(),
  timeZone: timeZone.default(DEFAULT_TIME_ZONE),
  climate: climate.default(DEFAULT_CLIMATE),
});

export type PublishOnceRequest = z.infer<typeof publishOnceRequest>;

export const publishId = z.uuid('must be the publishId that a publish answered with (a UUID)');

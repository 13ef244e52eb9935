import { z } from 'zod';
import { DEFAULT_BATCH_SIZE } from './defaults.js';
import { emulationFields } from './emulation.js';
import { boolean, boundary, positiveInteger, tenantId } from './fields.js';
import { INTERVAL_MINUTES, type IntervalMinutes } from './limits.js';
import { DEFAULT_TIME_ZONE, timeZone } from './place.js';

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
    z.number().refine(Number.isInteger, SEED_FORM).meta({ type: 'integer' }).transform(String),
  ],
  SEED_FORM,
);

/** Body of `POST /api/ami/publish-once`; unknown fields are refused, since a misspelt cap would be ignored. */
export const publishOnceRequest = z.strictObject({
  tenantId,
  intervalMinutes: intervalMinutes.default(15).describe('How long an interval is.'),
  batchSize: positiveInteger
    .default(DEFAULT_BATCH_SIZE)
    .meta({ default: DEFAULT_BATCH_SIZE, description: 'Meters per job.' }),
  meterCount: positiveInteger
    .optional()
    .describe('Left out: 500, the small fleet of a start, or all of a registry. At most 25,000.'),
  feederCount: positiveInteger
    .optional()
    .describe('Of a synthetic fleet: 10 to 40, 25 where it is left out.'),
  dryRun: boolean.default(false).describe('Says what it would mean, and writes nothing.'),
  seed: seed.optional().describe('The same seed gives the same reads. Left out: the tenant’s own.'),
  fleet: z
    .enum(['synthetic', 'registry'], 'must be "synthetic" or "registry"')
    .default('synthetic')
    .describe('Meters that are made up, or those of the database’s own tables.'),
  onConflict: z
    .enum(['nothing', 'update'], 'must be "nothing" or "update"')
    .default('nothing')
    .describe('Of a read that is there already: leave it, or overwrite it.'),
  readAt: boundary
    .optional()
    .describe('The start of the interval, on a boundary. Left out: the running one.'),
  timeZone: timeZone.optional().meta({
    default: DEFAULT_TIME_ZONE,
    description: 'By whose clock the customers live. Left out: that of the place, else UTC.',
  }),
  ...emulationFields,
});

export type PublishOnceRequest = z.infer<typeof publishOnceRequest>;

/** Parameters in the path of `GET /publish/:publishId`. */
export const publishParameters = z.object({
  publishId: z.uuid('must be the publishId that a publish answered with (a UUID)'),
});

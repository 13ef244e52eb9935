import { z } from 'zod';
import { DEFAULT_CLIMATE } from '../emulator/customers/climate.js';
import { ApiError, invalidField } from './errors.js';
import { isAligned } from './intervals.js';
import { INTERVAL_MINUTES, type IntervalMinutes } from './limits.js';
import { climate, DEFAULT_TIME_ZONE, timeZone } from './place.js';

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

export const instant = z.iso
  .datetime({
    offset: true,
    error: 'must be an ISO 8601 instant with a zone, for example "2026-01-31T10:15:00Z"',
  })
  .transform((value) => new Date(value));

/** Reads older than this are taken for a typing error: no smart meter's interval data is as old. */
export const EARLIEST_READ_AT = new Date('2000-01-01T00:00:00Z');

export const MS_PER_DAY = 86_400_000;

/** Body of `POST /api/ami/publish-once`; unknown fields are refused, since a misspelt cap would be ignored. */
export const publishOnceRequest = z.strictObject({
  tenantId,
  intervalMinutes: intervalMinutes.default(15),
  batchSize: positiveInteger.default(500),
  // Of the synthetic fleet 500 meters on 25 feeders unless they are given; of a registry all.
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

/** Query of the routes that answer for one tenant. */
export const tenantQuery = z.object({ tenantId });

export const publishId = z.uuid('must be the publishId that a publish answered with (a UUID)');

/**
 * Parses input from outside.
 *
 * @throws ApiError 400 `invalid_request` with one sentence that names the first bad field, and all of them in
 * `details`.
 */
export function parseRequest<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap(detailsOf);
  const [first] = details;
  const message = first ? `${first.path || what} ${first.message}.` : `${what} is not valid.`;
  throw new ApiError(400, 'invalid_request', message, { details });
}

function detailsOf(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: key, message: 'is not a field of this request' }));
  }
  const path = issue.path.join('.');
  if (path === '' && issue.code === 'invalid_type') return [{ path, message: 'must be a JSON object' }];
  return [{ path, message: issue.message }];
}

/**
 * Checks what one field alone cannot tell about `readAt`.
 *
 * @param retentionDays days of reads that are kept; undefined keeps all.
 * @throws ApiError 400 when it is not on a boundary, in the future, before 2000, or would be dropped at once.
 */
export function requireReadableInstant(
  readAt: Date,
  interval: IntervalMinutes,
  now: Date,
  retentionDays?: number,
): void {
  const refuse = (message: string): never => {
    throw invalidField('readAt', message);
  };
  if (!isAligned(readAt, interval)) {
    refuse(`must lie on a ${interval}-minute boundary in UTC, for example "2026-01-31T10:00:00Z"`);
  }
  if (readAt > now) refuse('must not lie in the future');
  if (readAt < EARLIEST_READ_AT) refuse('must not lie before the year 2000');
  if (retentionDays !== undefined && now.getTime() - readAt.getTime() > retentionDays * MS_PER_DAY) {
    refuse(
      `must not lie further back than the ${retentionDays} days of reads that are kept (READS_RETENTION_DAYS)`,
    );
  }
}

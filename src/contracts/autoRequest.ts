import { z } from 'zod';
import { invalidField } from './errors.js';
import { EARLIEST_READ_AT, instant, positiveInteger, tenantId } from './fields.js';
import { isAligned, MS_PER_DAY } from './intervals.js';
import { DEFAULT_CATCH_UP_INTERVALS, type IntervalMinutes, MAX_REPLAY_SPEED } from './limits.js';
import { climate, DEFAULT_CLIMATE, DEFAULT_TIME_ZONE, timeZone } from './place.js';
import { publishOnceRequest } from './publishRequest.js';

/** The fields that say which fleet, shared by all that publish more than once; defaults are the callers'. */
const { intervalMinutes, batchSize, meterCount, feederCount, seed, fleet } = publishOnceRequest.shape;

const speed = `must be a number from 1 to ${MAX_REPLAY_SPEED}`;

/** Body of `POST /auto/start` and `/start`; unknown fields are refused, since a misspelt one would be ignored. */
export const autoStartRequest = z.strictObject({
  tenantId,
  intervalMinutes,
  batchSize,
  meterCount,
  feederCount,
  catchUpIntervals: positiveInteger.default(DEFAULT_CATCH_UP_INTERVALS),
  seed,
  fleet,
  timeZone: timeZone.default(DEFAULT_TIME_ZONE),
  climate: climate.default(DEFAULT_CLIMATE),
  replay: z
    .strictObject(
      { from: instant, speed: z.number(speed).min(1, speed).max(MAX_REPLAY_SPEED, speed) },
      'must be an object with from and speed, for example { "from": "2026-01-31T00:00:00Z", "speed": 60 }',
    )
    .optional(),
});
export type AutoStartRequest = z.infer<typeof autoStartRequest>;

/** Body of `POST /auto/stop` and `/stop`. */
export const autoStopRequest = z.strictObject({ tenantId });

/**
 * Checks what one field alone cannot tell about where a replay starts.
 *
 * @throws ApiError 400 when it is not on a boundary, in the future, before 2000, or older than the reads that are kept.
 */
export function requireReplayStart(
  from: Date,
  interval: IntervalMinutes,
  now: Date,
  retentionDays?: number,
): void {
  const refuse = (message: string): never => {
    throw invalidField('replay.from', message);
  };
  if (!isAligned(from, interval))
    refuse(`must lie on a ${interval}-minute boundary in UTC, for example "2026-01-31T10:00:00Z"`);
  if (from > now) refuse('must not lie in the future');
  if (from < EARLIEST_READ_AT) refuse('must not lie before the year 2000');
  if (retentionDays !== undefined && now.getTime() - from.getTime() > retentionDays * MS_PER_DAY)
    refuse(
      `must not lie further back than the ${retentionDays} days of reads that are kept (READS_RETENTION_DAYS)`,
    );
}

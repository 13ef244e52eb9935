import { z } from 'zod';
import { DEFAULT_CATCH_UP_INTERVALS } from './defaults.js';
import { emulationFields } from './emulation.js';
import { boundary, positiveInteger, tenantId } from './fields.js';
import { MAX_REPLAY_SPEED } from './limits.js';
import { publishOnceRequest } from './publishRequest.js';

/** The fields that say which fleet, shared by all that publish more than once; defaults are the callers'. */
const { intervalMinutes, batchSize, meterCount, feederCount, seed, fleet, timeZone } =
  publishOnceRequest.shape;

const speed = `must be a number from 1 to ${MAX_REPLAY_SPEED}`;

/** Body of `POST /auto/start` and `/start`; unknown fields are refused, since a misspelt one would be ignored. */
export const autoStartRequest = z.strictObject({
  tenantId,
  intervalMinutes,
  batchSize,
  meterCount,
  feederCount,
  catchUpIntervals: positiveInteger.default(DEFAULT_CATCH_UP_INTERVALS).meta({
    default: DEFAULT_CATCH_UP_INTERVALS,
    description: 'Intervals that are kept whole, the running one included. At most 96.',
  }),
  seed,
  fleet,
  timeZone,
  ...emulationFields,
  replay: z
    .strictObject(
      { from: boundary, speed: z.number(speed).min(1, speed).max(MAX_REPLAY_SPEED, speed) },
      'must be an object with from and speed, for example { "from": "2026-01-31T00:00:00Z", "speed": 60 }',
    )
    .optional()
    .describe('Starts in the past and runs that many times as fast as life, until it has caught up.'),
});
export type AutoStartRequest = z.infer<typeof autoStartRequest>;

/** Body of `POST /auto/stop` and `/stop`. */
export const autoStopRequest = z.strictObject({ tenantId });

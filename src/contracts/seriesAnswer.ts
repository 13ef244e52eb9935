import { z } from 'zod';
import { instantText, maxStalenessSeconds, ok, tenantName } from './answerFields.js';
import { RESOLUTIONS } from './seriesRequest.js';

/**
 * What the routes of series and lists answer, as it stands in the JSON. Series are columns: arrays as long as `times`,
 * null where nothing was read.
 */

/** One value per element of `times`. */
const values = z
  .array(z.number().nullable())
  .describe('One value for each of `times`; null where nothing was read.');
const estimated = values.describe(
  'Percent of the reads that are estimates, which completeness takes for reads that arrived; one value for each of `times`.',
);
const received = values.describe(
  'What customers fed into the grid, kWh, taken off no other figure; null where no read has such a channel. One value for each of `times`.',
);
const next = z.string().nullable().describe('The `after` of the next page; null on the last one.');

const common = { ok, tenantId: tenantName, maxStalenessSeconds };
const stepped = {
  timeZone: z.string().describe('The zone by whose days the tenant is counted. Hours are those of UTC.'),
  from: instantText,
  to: instantText,
  resolution: z.enum(RESOLUTIONS),
  stepMinutes: z.union([z.literal(15), z.literal(60), z.literal(1_440)]),
  times: z.array(instantText),
};

export const tenantsAnswer = z.strictObject({
  ok,
  tenants: z.array(
    z.strictObject({
      tenantId: z.string(),
      latestReadAt: instantText.nullable(),
      /** Whether its automatic mode runs. */
      automatic: z.boolean(),
    }),
  ),
  next,
  maxStalenessSeconds,
});

export const feederMatrixAnswer = z.strictObject({
  ...common,
  ...stepped,
  feeders: z.array(
    z.strictObject({
      feederId: z.string(),
      lossPct: values.optional(),
      completenessPct: values.optional(),
      minVoltage: values.optional(),
      kwh: values.optional(),
      deliveredKwh: values.optional(),
      receivedKwh: received.optional(),
      estimatedPct: estimated.optional(),
    }),
  ),
});

export const feederSeriesAnswer = z.strictObject({
  ...common,
  feederId: z.string(),
  ...stepped,
  expectedMeters: values,
  reportingMeters: values,
  completenessPct: values,
  estimatedPct: estimated,
  kwh: values,
  deliveredKwh: values,
  receivedKwh: received,
  lossPct: values,
  minVoltage: values,
  lowVoltageReads: values,
});

export const feederMetersAnswer = z.strictObject({
  ...common,
  feederId: z.string(),
  intervalStart: instantText.nullable(),
  intervalEnd: instantText.nullable(),
  meters: z.array(
    z.strictObject({
      meterId: z.string(),
      kwh: z.number().nullable(),
      deliveredKwh: z.number().nullable(),
      voltage: z.number().nullable(),
      suspicious: z.boolean(),
      lowVoltage: z.boolean(),
      reported: z.boolean(),
    }),
  ),
  next,
});

export const READ_FLAGS = ['SUSPICIOUS', 'LOW_VOLTAGE', 'HIGH_VOLTAGE', 'IMPLAUSIBLE'] as const;

export const meterSeriesAnswer = z.strictObject({
  ...common,
  meterId: z.string(),
  feederId: z.string().nullable(),
  from: instantText,
  to: instantText,
  stepMinutes: z.union([z.literal(15), z.literal(60)]),
  times: z.array(instantText),
  kwh: values,
  deliveredKwh: values,
  voltage: values,
  /** What the read itself shows; null where there is none. */
  flags: z.array(z.array(z.enum(READ_FLAGS)).nullable()),
  events: z.array(
    z.strictObject({
      id: z.string(),
      eventType: z.string(),
      severity: z.number(),
      /** The share of the feeder's meters that it concerns: this one may be among them. Null: it does concern this one. */
      meterFraction: z.number().nullable(),
      startAt: instantText,
      endAt: instantText,
    }),
  ),
});

import { z } from 'zod';
import {
  count,
  dayText,
  instantText,
  intervalEnd,
  intervalStart,
  maxStalenessSeconds,
  ok,
  percentage,
  tenantName,
} from './answerFields.js';
import { activeEvent } from './eventAnswer.js';
import { VEE_RULES } from './veeRules.js';

/** What quickcheck answers, as it stands in the JSON. Rows of a customer's own views may lack any field. */

const kwh = z.number().nullable().describe('kWh.');
const receivedKwh = z
  .number()
  .nullable()
  .describe(
    'What customers fed into the grid, kWh, taken off no other figure. Null where no read has such a channel.',
  );
const volts = z.number().nullable().describe('Volts.');
const number = z.number().nullable();
const name = z.string().nullable();
const ESTIMATED = 'Percent of the reads that are estimates, which completeness takes for reads that arrived.';
const estimated = percentage.describe(`${ESTIMATED} Null without a read.`);
const estimatedOfView = percentage.describe(`${ESTIMATED} Null of your own view without such a column.`);
const day = dayText.nullable().describe('A day of `timeZone`; of your own view its own.');

export const intervalSummary = z
  .strictObject({
    intervalStart,
    intervalEnd,
    complete: z.boolean().describe('Whether all of it has been written: else the rest is on its way.'),
    expectedMeters: count,
    reportingMeters: count,
    reportingPct: percentage,
    estimatedPct: estimated,
    lossPct: percentage.describe('Percent of the energy delivered.'),
    receivedKwh,
    lowVoltageMeters: count.describe('Below 114 V, ANSI C84.1 range A.'),
  })
  .meta({ id: 'IntervalSummary' });

export const latestFeeder = z
  .strictObject({
    feederId: z.string(),
    reportingMeters: count,
    expectedMeters: count,
    reportingPct: percentage,
    estimatedPct: estimated,
    lossPct: percentage,
    receivedKwh,
    minVoltage: volts,
    lowVoltageMeters: count,
    activeEvents: z.array(z.string()).describe('The types of the events under way on it.'),
  })
  .meta({ id: 'LatestFeeder' });

export const overviewDay = z
  .strictObject({
    day,
    feeders: number,
    intervals: number,
    reads: number,
    expectedMeters: number,
    completenessPct: percentage,
    kwh,
    deliveredKwh: kwh,
    receivedKwh,
    lossKwh: kwh,
    lossPct: percentage,
    minVoltage: volts,
    lowVoltageReads: number,
    implausibleReads: number.describe('Reads with an energy that no meter measures; in no sum.'),
    estimatedPct: estimatedOfView,
  })
  .meta({ id: 'OverviewDay' });

export const feederLossDay = z
  .strictObject({
    day,
    feederId: name,
    reads: number,
    kwh,
    deliveredKwh: kwh,
    receivedKwh,
    lossKwh: kwh,
    lossPct: percentage,
    minVoltage: volts,
  })
  .meta({ id: 'FeederLossDay' });

export const suspiciousMeter = z
  .strictObject({
    day,
    meterId: name,
    feederId: name,
    suspiciousIntervals: number,
    registeredKwh: kwh,
    deliveredKwh: kwh,
    missingKwh: kwh,
    missingPct: percentage,
    firstIntervalAt: instantText.nullable(),
    lastIntervalAt: instantText.nullable(),
    reason: name.describe('Why, in words and numbers.'),
  })
  .meta({ id: 'SuspiciousMeter' });

export const fieldOperation = z
  .strictObject({
    day,
    feederId: name,
    priority: number.describe('1 is the most urgent of its day.'),
    expectedMeters: number,
    silentMeters: number,
    undervoltageMeters: number,
    minVoltage: volts,
    completenessPct: percentage,
    reason: name,
    estimatedPct: estimatedOfView,
  })
  .meta({ id: 'FieldOperation' });

export const quickcheckAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    generatedAt: instantText,
    timeZone: z.string().describe('The zone by whose days the tenant is counted.'),
    loss: z
      .strictObject({ min: percentage, max: percentage, avg: percentage })
      .describe('Daily loss over all days, percent.'),
    overview: z.array(overviewDay).max(5).describe('The latest days, the latest first.'),
    feederLoss: z.array(feederLossDay).max(10),
    suspiciousMeters: z.array(suspiciousMeter).max(10),
    fieldOps: z.array(fieldOperation).max(10),
    reportingSummary: intervalSummary.nullable().describe('The same as `latest`.'),
    latest: intervalSummary.nullable().describe('The latest interval, which may still be being written.'),
    latestComplete: intervalSummary.nullable().describe('The latest that is not being written any more.'),
    staleMetersBuckets: z
      .strictObject({
        current: count,
        staleOver15m: count,
        staleOver1h: count,
        staleOver24h: count,
      })
      .nullable()
      .describe(
        'Meters by the age of their last read, each in one bucket. Null while they are being counted.',
      ),
    staleMetersReference: instantText.nullable().describe('The interval that they are aged against.'),
    latestFeeders: z.array(latestFeeder).describe('The feeders of `latest`.'),
    activeEvents: z.array(activeEvent).max(200),
    vee: z
      .strictObject({
        isOn: z.boolean().describe('Whether each interval is validated once it is complete.'),
        validatedTo: instantText
          .nullable()
          .describe('End of the last interval that was given to validation.'),
        estimatedTo: instantText
          .nullable()
          .describe('Up to where gaps are estimated; null where they are not.'),
        lastRun: z
          .strictObject({
            runId: count,
            from: instantText,
            to: instantText.describe('Exclusive.'),
            finishedAt: instantText,
            reads: count,
            findings: z.partialRecord(z.enum(VEE_RULES), count).describe('By rule.'),
            marked: count.describe('Reads that became questionable.'),
            estimated: z.record(z.string(), count).describe('Estimates by method.'),
          })
          .nullable(),
      })
      .nullable()
      .describe('Validation; null of a tenant that has said nothing about it.'),
    maxStalenessSeconds,
    warnings: z
      .array(z.string())
      .optional()
      .describe('What the answer lacks, a sentence each. Left out where it lacks nothing.'),
  })
  .meta({ id: 'Quickcheck' });

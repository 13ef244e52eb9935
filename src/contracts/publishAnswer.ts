import { z } from 'zod';
import {
  count,
  instantText,
  intervalEnd,
  intervalStart,
  ok,
  safetyWarnings,
  tenantName,
} from './answerFields.js';

/** What the routes of publishes answer, as it stands in the JSON. */

const seconds = z.number().nonnegative();
const estimatedRuntimeSeconds = seconds.describe('At the pace of the deployment, in seconds.');

export const dryRunAnswer = z
  .strictObject({
    ok,
    dryRun: z.literal(true),
    computedMeters: count.describe('Meters that would be read, held to the limits.'),
    computedFeederCount: count,
    computedBatches: count,
    estimatedJobs: count,
    estimatedRuntimeSeconds,
    safetyWarnings,
  })
  .meta({ id: 'DryRun' });

export const publishAccepted = z
  .strictObject({
    ok,
    publishId: z.uuid().describe('Asks for its progress: `GET /api/ami/publish/{publishId}`.'),
    tenantId: tenantName,
    readAt: instantText.describe('The start of the interval, as each read has it.'),
    intervalStart,
    intervalEnd,
    enqueuedJobs: count,
    computedMeters: count,
    computedFeederCount: count,
    computedBatches: count,
    batchSize: count,
    estimatedRuntimeSeconds,
    safetyWarnings,
  })
  .meta({ id: 'PublishAccepted' });

export const progressState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled']);

export const batchProgress = z.strictObject({
  done: count,
  total: count,
  failed: count,
  cancelled: count,
});

export const rowProgress = z.strictObject({
  inserted: count,
  updated: count,
  duplicate: count.describe('Reads that were there already.'),
  skippedByOutage: count.describe('Reads that a comms outage keeps from arriving.'),
});

/** When work was accepted, begun and ended, and why it failed. */
export const progressTimes = {
  acceptedAt: instantText,
  startedAt: instantText.nullable(),
  finishedAt: instantText.nullable(),
  failure: z.string().optional().describe('Why a batch was given up; left out where none was.'),
};

/**
 * What asks for publishes: a request, the automatic mode at a boundary or behind it, a backfill, an event with `applyNow`, a
 * file, the end of an outage that has held reads back.
 */
export const ORIGINS = ['manual', 'tick', 'catch-up', 'backfill', 'revision', 'import', 'late'] as const;
export type PublishOrigin = (typeof ORIGINS)[number];

export const publishProgress = z
  .strictObject({
    ok,
    publishId: z.uuid(),
    tenantId: z.string(),
    origin: z
      .enum(ORIGINS)
      .describe(
        'What asked for it: a request, the automatic mode on time or later, a backfill, an event with `applyNow`, an imported file, the end of an outage whose reads come late.',
      ),
    state: progressState,
    readAt: instantText,
    intervalStart,
    intervalEnd,
    batches: batchProgress,
    rows: rowProgress,
    ...progressTimes,
  })
  .meta({ id: 'PublishProgress' });

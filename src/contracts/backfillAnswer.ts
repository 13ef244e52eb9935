import { z } from 'zod';
import { count, instantText, ok, safetyWarnings, tenantName } from './answerFields.js';
import { batchProgress, progressState, progressTimes, rowProgress } from './publishAnswer.js';

/** What the routes of backfills answer, as it stands in the JSON. */

const span = { from: instantText, to: instantText.describe('Exclusive.') };

export const backfillAccepted = z
  .strictObject({
    ok,
    backfillId: z.uuid().describe('Asks for its progress: `GET /api/ami/backfill/{backfillId}`.'),
    tenantId: tenantName,
    ...span,
    intervals: count,
    computedMeters: count,
    computedBatches: count,
    batchSize: count,
    estimatedRuntimeSeconds: z.number().nonnegative().describe('At the least, since live work goes first.'),
    existing: z.boolean().describe('Whether one that was under way does all of it; no other was made then.'),
    safetyWarnings,
  })
  .meta({ id: 'BackfillAccepted' });

const backfill = {
  publishId: z.uuid().describe('The same as `backfillId`: it may be asked for like a publish.'),
  backfillId: z.uuid(),
  tenantId: z.string(),
  origin: z.literal('backfill'),
  state: progressState,
  ...span,
  intervalMinutes: z.union([z.literal(15), z.literal(60)]),
  meterCount: count.describe('Meters of each interval.'),
  batches: batchProgress,
  rows: rowProgress,
  intervals: z.strictObject({
    done: count,
    overlapped: count.describe('Left alone, since intervals of another length have measured the same time.'),
    total: count,
  }),
  ...progressTimes,
  estimatedSecondsLeft: z.number().nonnegative().optional().describe('Left out where nothing is left.'),
};

export const backfillListed = z.strictObject(backfill).meta({ id: 'Backfill' });
export const backfillProgress = z.strictObject({ ok, ...backfill }).meta({ id: 'BackfillProgress' });
export const backfillsAnswer = z
  .strictObject({ ok, tenantId: tenantName, backfills: z.array(backfillListed).max(50) })
  .meta({ id: 'Backfills' });

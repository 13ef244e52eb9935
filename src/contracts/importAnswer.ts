import { z } from 'zod';
import { count, instantText, ok, tenantName } from './answerFields.js';
import { batchProgress, progressTimes } from './publishAnswer.js';

/** What the routes of imports answer, as it stands in the JSON. */

const counts = z.record(z.string(), count);

const listed = {
  importId: count.describe('Asks for its progress: `GET /api/ami/imports/{importId}`.'),
  tenantId: z.string(),
  origin: z.literal('import'),
  fileName: z.string(),
  format: z
    .enum(['csv', 'espi', 'nem12', 'cmep', 'vee'])
    .describe('Found by content; `vee` is what a run of validation has written.'),
  state: z
    .enum(['reading', 'queued', 'running', 'done', 'failed', 'cancelled'])
    .describe('Nothing of a file counts before it was read whole.'),
  reads: count.describe('One per meter and interval, both channels together.'),
  from: instantText.nullable().describe('When the first read begins.'),
  to: instantText.nullable().describe('When the last read begins.'),
  batches: batchProgress,
  rows: z.strictObject({
    inserted: count.describe('Reads that were new.'),
    replaced: count.describe('Reads that took the place of others, which are kept.'),
    unchanged: count.describe('Reads that were there already.'),
    refused: count.describe('Rows of the file that became no read.'),
    refusedByRules: count.describe('Reads that were left, since what stands there is worth more.'),
    repeated: count.describe('Rows that say the same as another one of the file.'),
    left: counts.describe('Values that are no electric energy, or have no column, by what they are.'),
  }),
  metersRegistered: count,
  ...progressTimes,
  failure: z.string().optional().describe('Why nothing, or not all of it, was written.'),
  estimatedSecondsLeft: z.number().nonnegative().optional().describe('Left out where nothing is left.'),
};

export const importListed = z.strictObject(listed).meta({ id: 'Import' });

export const importProgress = z
  .strictObject({
    ok,
    ...listed,
    mapping: z.string().optional().describe('Of CSV: what its text was taken to mean, as YAML.'),
    refusals: z
      .array(
        z.strictObject({
          line: count.describe('Of the file, from 1.'),
          meterId: z.string().optional(),
          readAt: instantText.optional(),
          reason: z.string(),
        }),
      )
      .max(1_000)
      .describe('The first of what was refused or left, by line.'),
  })
  .meta({ id: 'ImportProgress' });

export const importsAnswer = z
  .strictObject({ ok, tenantId: tenantName, imports: z.array(importListed).max(50) })
  .meta({ id: 'Imports' });

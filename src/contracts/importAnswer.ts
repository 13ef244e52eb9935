import { z } from 'zod';
import { count, dayText, instantText, ok, tenantName } from './answerFields.js';
import { batchProgress, progressTimes } from './publishAnswer.js';

/** What the routes of imports answer, as it stands in the JSON. */

const counts = z.record(z.string(), count);

const listed = {
  importId: count.describe('Asks for its progress: `GET /api/ami/imports/{importId}`.'),
  tenantId: z.string(),
  origin: z.literal('import'),
  fileName: z.string(),
  format: z
    .enum(['csv', 'espi', 'nem12', 'cmep', 'parquet', 'vee'])
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

const mapping = z.string().optional().describe('Of CSV: what its text was taken to mean, as YAML.');
const refusal = z.strictObject({
  line: count.describe('Of the file, from 1.'),
  meterId: z.string().optional(),
  readAt: instantText.optional(),
  reason: z.string(),
  rows: count.optional().describe('Rows of the meter that it stands for, `line` being the first of them.'),
});
const refusals = z.array(refusal).max(1_000).describe('The first of what was refused or left, by line.');

export const importProgress = z
  .strictObject({ ok, ...listed, mapping, refusals })
  .meta({ id: 'ImportProgress' });

/** `GET /imports/:importId/refusals`. */
export const refusalsAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    importId: count,
    refusals,
    next: count
      .optional()
      .describe('What to ask with as `after` for those that follow; left out on the last page.'),
  })
  .meta({ id: 'ImportRefusals' });

/** 202 of `POST /imports`. */
export const uploadAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    importId: count.describe('The import of the file; of an archive with several, the first.'),
    imports: z
      .array(
        z.strictObject({
          ...listed,
          mapping,
          refusals,
          existing: z.literal(true).optional().describe('The same file was being written already.'),
        }),
      )
      .min(1)
      .describe('An import for each file of an archive, else one.'),
  })
  .meta({ id: 'TakenFile' });

/** 200 of `POST /imports` with `dryRun`. */
export const dryRunAnswer = z
  .strictObject({
    ok,
    dryRun: z.literal(true),
    tenantId: tenantName,
    files: z.array(
      z.strictObject({
        fileName: z.string(),
        format: listed.format.optional(),
        mapping,
        refusal: z.string().optional().describe('Why nothing of the file would be taken.'),
        reads: listed.reads,
        rows: z.strictObject({
          written: count.describe('Reads that would be new.'),
          replaced: count.describe('Reads that would take the place of others.'),
          unchanged: count.describe('Reads that are there already.'),
          refused: count.describe('Rows of the file that become no read.'),
          refusedByRules: count.describe('Reads that would be left.'),
          repeated: count.describe('Rows that say the same as another one of the file.'),
          left: counts,
        }),
        metersToRegister: count,
        reasons: z
          .array(z.strictObject({ reason: z.string(), reads: count }))
          .describe('Why reads would be left.'),
        byDay: z
          .array(
            z.strictObject({
              meterId: z.string(),
              day: dayText.describe('By the clock of `timeZone`, else of the file.'),
              written: count,
              replaced: count,
              unchanged: count,
              refusedByRules: count,
            }),
          )
          .max(2_000)
          .describe('The first by meter and day, of all files together at most 2,000.'),
        moreDays: count.describe('Days of meters that `byDay` leaves out.'),
        refusals,
      }),
    ),
  })
  .meta({ id: 'ImportDryRun' });

export const importsAnswer = z
  .strictObject({ ok, tenantId: tenantName, imports: z.array(importListed).max(50) })
  .meta({ id: 'Imports' });

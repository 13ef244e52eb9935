import { z } from 'zod';
import { instantText, ok } from './answerFields.js';

/** What `GET /schema` answers: which tables and columns carry what. */

const columns = z
  .record(
    z.string(),
    z
      .strictObject({
        column: z.string(),
        type: z.string(),
        source: z.string().describe('How it was found.'),
      })
      .nullable(),
  )
  .describe('By meaning; null where no column carries it.');
const madeByGridLens = z.boolean().describe('False for a table or view of your own.');
const table = { table: z.string(), madeByGridLens, columns };

export const schemaAnswer = z
  .strictObject({
    ok,
    ownSchema: z.string().describe('The schema of GridLens’s own tables.'),
    reads: z.strictObject({
      ...table,
      key: z.strictObject({
        name: z.string(),
        columns: z.array(z.string()),
        source: z.enum(['own', 'existing', 'added']),
      }),
      timesWithoutZoneAre: z.enum(['UTC']).nullable(),
      qualityFlagBits: z
        .record(z.string(), z.int())
        .nullable()
        .describe('Where flags are the bits of a number.'),
      feedIn: z
        .string()
        .nullable()
        .describe(
          'The column of what customers feed into the grid; null in a table of your own that has none of such a name.',
        ),
      filledOnInsert: z.array(z.strictObject({ column: z.string(), with: z.string() })),
    }),
    meters: z.strictObject(table),
    feeders: z.strictObject({ ...table, alsoKnownBy: z.array(z.string()) }).nullable(),
    kpiViews: z.record(
      z.string(),
      z.strictObject({ view: z.string(), madeByGridLens, columns: columns.optional() }),
    ),
    changes: z
      .array(
        z.strictObject({
          changedAt: instantText,
          kind: z.enum(['adopt', 'create', 'add column', 'add unique key', 'add trigger']),
          table: z.string(),
          statement: z.string().nullable().optional().describe('Only for holders of a key.'),
          reason: z.string(),
        }),
      )
      .describe('What was done to tables that GridLens did not make, the oldest first.'),
  })
  .meta({ id: 'SchemaMapping' });

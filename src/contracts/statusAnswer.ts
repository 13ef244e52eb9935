import { z } from 'zod';
import { count, instantText, maxStalenessSeconds, ok, queueCounts, tenantName } from './answerFields.js';
import { activeEvent } from './eventAnswer.js';

/** What the routes of status and health answer, as it stands in the JSON. */

const worker = z
  .strictObject({
    workerId: z.uuid(),
    host: z.string().optional().describe('Only for holders of a key.'),
    pid: z.int().optional().describe('Only for holders of a key.'),
    concurrency: count.describe('Batches that it writes at once.'),
    startedAt: instantText,
    heartbeatAt: instantText,
    lastJobAt: instantText.nullable(),
  })
  .meta({ id: 'Worker' });

const milliseconds = z.number().nonnegative().nullable().describe('Milliseconds; null without any.');

export const statusAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    queue: z.strictObject({
      backend: z.enum(['redis', 'postgres']),
      healthy: z.literal(true),
      ...queueCounts,
    }),
    workers: z.array(worker).describe('Those that have given a sign of life in the last 15 s.'),
    heartbeat: z
      .strictObject({
        lastProcessedAt: instantText.nullable(),
        ageSeconds: z.number().nonnegative().nullable(),
        ok: z.boolean(),
      })
      .describe('When any worker last did the job that comes every 10 s.'),
    activeEvents: z.array(activeEvent).max(200),
    lastIngestAt: instantText.nullable().describe('When a read was last written.'),
    latestReadAt: instantText.nullable().describe('The start of the latest interval with a read.'),
    archive: z
      .strictObject({
        days: count.describe('Days of all tenants that were archived and dropped.'),
        reads: count,
        failing: z
          .strictObject({ day: z.string(), failure: z.string(), failedAt: instantText })
          .nullable()
          .describe('The first day that could not be archived at the latest try; it is kept.'),
      })
      .optional()
      .describe('Of `ARCHIVE_DIR`; left out where nothing was archived.'),
    recentJobs: z.strictObject({
      completed: count,
      failed: count,
      rows: count,
      meanMs: milliseconds,
      p95Ms: milliseconds,
      windowSeconds: count,
    }),
    maxStalenessSeconds,
  })
  .meta({ id: 'Status' });

export const scaleStatusAnswer = z
  .strictObject({
    ok,
    tenantId: tenantName,
    totalDistinctMeters: count,
    totalReads: count,
    latestReadAt: instantText.nullable(),
    queue: z.strictObject(queueCounts),
    ingestionRate: z.strictObject({ readsPerSecond: z.number().nonnegative(), windowSeconds: count }),
    maxStalenessSeconds,
  })
  .meta({ id: 'ScaleStatus' });

export const healthAnswer = z.strictObject({ ok }).meta({ id: 'Health' });

const dependency = z.strictObject({
  ok: z.boolean(),
  advice: z.string().optional().describe('What is wrong and what to do, where that is known.'),
});
/** Each dependency by name; `clock` only where it is wrong. */
export const dependencies = z
  .strictObject({
    postgres: dependency,
    queue: dependency,
    worker: dependency,
    clock: dependency.optional(),
  })
  .meta({ id: 'Dependencies' });

export const readinessAnswer = z.strictObject({ ok, dependencies }).meta({ id: 'Readiness' });

import { z } from 'zod';
import { count, instantText, ok, queueCounts, safetyWarnings, tenantName } from './answerFields.js';
import { customers, der, lateness, model, network, oddities, place } from './emulation.js';
import { CLIMATES } from './place.js';

/** What the routes of the automatic mode answer, as it stands in the JSON. */

export const autoConfig = z
  .strictObject({
    tenantId: z.string(),
    meterCount: count.nullable().describe('Null: all meters of the registry.'),
    feederCount: count.nullable().describe('Null for a registry, whose feeders are its own.'),
    batchSize: count,
    intervalMinutes: z.union([z.literal(15), z.literal(60)]),
    catchUpIntervals: count.describe('Intervals that are kept whole, the running one included.'),
    fleet: z.enum(['synthetic', 'registry']),
    seed: z.string().optional().describe('Left out for the tenant’s own.'),
    timeZone: z.string(),
    climate: z.enum(CLIMATES).describe('Of model 1.'),
    model,
    place: place.optional().describe('Of models 2 and 3.'),
    customers: customers.optional().describe('Left out where shares are the usual ones.'),
    der: der.optional().describe('Left out where nothing stands behind the meters.'),
    network: network.optional(),
    oddities: oddities.optional(),
    lateness: lateness.optional(),
    replay: z.strictObject({ from: instantText, speed: z.number() }).optional(),
    startedAt: instantText.describe('Since when it has run without a pause.'),
  })
  .meta({ id: 'AutoConfig' });

export const autoStarted = z
  .strictObject({
    ok,
    mode: z.literal('auto'),
    tenantId: tenantName,
    nextRunAt: instantText,
    config: autoConfig,
    safetyWarnings,
  })
  .meta({ id: 'AutoStarted' });

export const autoStopped = z
  .strictObject({
    ok,
    tenantId: tenantName,
    wasEnabled: z.boolean().describe('Whether there was anything to stop.'),
    safetyWarnings,
  })
  .meta({ id: 'AutoStopped' });

export const waitingInterval = z.strictObject({
  readAt: instantText,
  claimedAt: instantText.nullable().describe('When its tick came.'),
  failure: z.string().nullable().describe('Why it could not be published yet.'),
  nextTryAt: instantText.nullable().describe('Null: at once.'),
});

export const autoStatus = z
  .strictObject({
    ok,
    tenantId: tenantName,
    enabled: z.boolean(),
    config: autoConfig.nullable().describe('As it was last started; null where it never was.'),
    lastAlignedInterval: instantText.describe('The start of the interval that is running.'),
    latestReadAt: instantText.nullable(),
    nextRunAt: instantText.nullable(),
    queue: z.strictObject(queueCounts),
    waiting: z.array(waitingInterval).describe('Intervals that are owed and not accepted yet.'),
    missed: z
      .strictObject({ intervals: count, first: instantText.nullable(), last: instantText.nullable() })
      .nullable()
      .describe('Gaps older than `catchUpIntervals` that nobody fills by itself.'),
    replay: z
      .strictObject({
        from: instantText,
        speed: z.number(),
        clock: instantText.describe('What the tenant’s clock shows.'),
        nextInterval: instantText,
      })
      .nullable()
      .describe('Null where no replay is under way.'),
  })
  .meta({ id: 'AutoStatus' });

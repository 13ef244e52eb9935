import { randomUUID } from 'node:crypto';
import { ApiError } from '../contracts/errors.js';
import { type PublishOnceRequest, requireReadableInstant } from '../contracts/requests.js';
import type { Database } from '../db.js';
import { DEFAULT_FEEDER_COUNT } from '../emulator/fleet.js';
import { getAlignedIntervalTimestamp, intervalEnd } from '../emulator/intervals.js';
import { estimateRuntimeSeconds, type PublishPlan, planPublish } from '../emulator/plan.js';
import { defaultSeed } from '../emulator/random.js';
import { planRegistryPublish } from '../emulator/registryPlan.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { isFleetGone } from '../stores/fleets.js';
import { type PublishOrigin, type PublishProgress, publishProgress } from '../stores/publishLedger.js';
import type { RegistrySurvey } from '../stores/registry.js';
import type { Admission } from './admission.js';
import { pacedRate } from './pace.js';
import { requireFits, requireReferenced } from './readsFit.js';
import { currentFleet, surveyedRegistry } from './registryFleet.js';
import { sharingNext } from './sharingNext.js';

interface PublishOptions {
  database: Database;
  admission: Admission;
  /** Where reads go, and where the meters of `fleet: "registry"` come from. */
  schema: Pick<SchemaMapping, 'reads' | 'registry'>;
  maxReadsPerSecond: number;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** Publishing one interval: plan, admit, and how far it has come. */
export function createPublishService(options: PublishOptions) {
  const { database, admission, schema, readsRetentionDays, now } = options;
  const rate = pacedRate(options.maxReadsPerSecond);
  // Looking through a registry of 25,000 takes 70 ms of a core: a thousand callers at once must not each do it.
  const fleetOf = sharingNext((tenantId) => currentFleet(database, schema.registry, tenantId));
  const surveyOf = sharingNext((tenantId) => surveyedRegistry(database, schema.registry, tenantId));

  /** @throws ApiError 400 for an interval that cannot be published, or a fleet that does not fit the table. */
  const requirePublishable = async (request: PublishOnceRequest): Promise<Date> => {
    const at = now();
    const readAt = request.readAt ?? getAlignedIntervalTimestamp(request.intervalMinutes, at);
    requireReadableInstant(readAt, request.intervalMinutes, at, readsRetentionDays);
    const { tenantId } = request;
    const synthetic = request.fleet === 'synthetic' ? syntheticPlan(request).fleet : undefined;
    requireFits(schema.reads, { tenantId, synthetic });
    await requireReferenced(database, schema, { tenantId, synthetic });
    return readAt;
  };

  const admit = async (
    request: PublishOnceRequest,
    readAt: Date,
    requestId: string,
    origin: PublishOrigin,
  ) => {
    const stored = request.fleet === 'registry' ? await fleetOf(request.tenantId) : undefined;
    const plan = stored ? registryPlan(request, stored.survey) : syntheticPlan(request);
    const { fleet, batchSize, batches } = plan;
    const publishId = randomUUID();
    const { lastStartInMs } = await admission.admit({
      publishId,
      tenantId: request.tenantId,
      origin,
      readAt,
      intervalMinutes: request.intervalMinutes,
      seed: request.seed ?? defaultSeed(request.tenantId),
      meterCount: fleet.meterCount,
      // A registry fleet's are its snapshot's: see sql/phase4_registry_fleets.sql.
      feederCount: stored ? 0 : fleet.feederCount,
      fleetId: stored?.fleetId ?? null,
      rangeFrom: 0,
      rangeTo: fleet.meterCount,
      timeZone: request.timeZone,
      climate: request.climate,
      batchSize,
      batchCount: batches.length,
      onConflict: request.onConflict,
      requestId,
    });
    return {
      publishId,
      tenantId: request.tenantId,
      readAt,
      intervalStart: readAt,
      intervalEnd: intervalEnd(readAt, request.intervalMinutes),
      enqueuedJobs: batches.length,
      computedMeters: fleet.meterCount,
      computedFeederCount: fleet.feederCount,
      computedBatches: batches.length,
      batchSize,
      estimatedRuntimeSeconds: Math.ceil(lastStartInMs / 100) / 10,
      safetyWarnings: plan.safetyWarnings,
    };
  };

  return {
    /** What a publish would do; writes nothing. */
    async dryRun(request: PublishOnceRequest) {
      await requirePublishable(request);
      const plan =
        request.fleet === 'registry'
          ? registryPlan(request, await surveyOf(request.tenantId))
          : syntheticPlan(request);
      return {
        dryRun: true as const,
        computedMeters: plan.fleet.meterCount,
        computedFeederCount: plan.fleet.feederCount,
        computedBatches: plan.batches.length,
        estimatedJobs: plan.batches.length,
        estimatedRuntimeSeconds: estimateRuntimeSeconds(plan.fleet.meterCount, rate),
        safetyWarnings: plan.safetyWarnings,
      };
    },

    /** Accepts a publish, or throws what `Admission.admit` throws; ApiError 400 when there is nothing to publish. */
    async publish(request: PublishOnceRequest, requestId: string, origin: PublishOrigin = 'manual') {
      const readAt = await requirePublishable(request);
      const attempt = () => admit(request, readAt, requestId, origin);
      return attempt().catch((error) => {
        if (isFleetGone(error)) return attempt();
        throw error;
      });
    },

    /** @throws ApiError 404 when the ledger does not know the publish. */
    async progress(publishId: string) {
      const found = await publishProgress(database, publishId);
      if (!found)
        throw new ApiError(
          404,
          'not_found',
          `publishId ${publishId} is not known: no publish answered with it.`,
        );
      return progressAnswer(found);
    },
  };
}

export type PublishService = ReturnType<typeof createPublishService>;

/** What the brief publishes unless it is told otherwise. */
const DEFAULT_METER_COUNT = 500;

function syntheticPlan(request: PublishOnceRequest): PublishPlan {
  const { meterCount = DEFAULT_METER_COUNT, feederCount = DEFAULT_FEEDER_COUNT } = request;
  return planPublish({ ...request, meterCount, feederCount });
}

function registryPlan(request: PublishOnceRequest, survey: RegistrySurvey): PublishPlan {
  const { batchSize, meterCount, feederCount } = request;
  return planRegistryPublish({ batchSize, meterCount, feederCount }, survey);
}

function progressAnswer(found: PublishProgress) {
  return {
    publishId: found.publishId,
    tenantId: found.tenantId,
    origin: found.origin,
    state: stateOf(found),
    readAt: found.readAt,
    intervalStart: found.readAt,
    intervalEnd: intervalEnd(found.readAt, found.intervalMinutes),
    batches: {
      done: found.batchesDone,
      total: found.batchCount,
      failed: found.batchesFailed,
      cancelled: found.batchesCancelled,
    },
    rows: {
      inserted: found.inserted,
      updated: found.updated,
      duplicate: found.duplicate,
      skippedByOutage: found.skipped,
    },
    acceptedAt: found.acceptedAt,
    startedAt: found.startedAt,
    finishedAt: found.batchesPending === 0 ? found.finishedAt : null,
    ...(found.failure === null ? {} : { failure: found.failure }),
  };
}

/** queued → running → done; failed when a batch was given up, cancelled when one was taken back. */
function stateOf(found: PublishProgress): 'queued' | 'running' | 'done' | 'failed' | 'cancelled' {
  if (found.batchesPending > 0) return found.startedAt === null ? 'queued' : 'running';
  if (found.batchesFailed > 0) return 'failed';
  return found.batchesCancelled > 0 ? 'cancelled' : 'done';
}

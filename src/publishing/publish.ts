/**
 * Room: publishing. Promises: a publish is within all caps and is accepted whole or not at all, however many
 * callers ask at once.
 */

import { ApiError } from '../contracts/errors.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import { requirePublishable } from '../contracts/instants.js';
import { getAlignedIntervalTimestamp, intervalEnd } from '../contracts/intervals.js';
import { DEFAULT_CLIMATE } from '../contracts/place.js';
import type { PublishOnceRequest } from '../contracts/publishRequest.js';
import type { Database } from '../db/db.js';
import { type PublishProgress, publishProgress } from '../ledger/publishLedger.js';
import { pacedRate } from '../pacing/pace.js';
import { isSnapshotGone } from '../registry/snapshots.js';
import type { Admission } from './admission.js';
import { estimateRuntimeSeconds } from './plan.js';
import { type PublishPlanner, publishRecord } from './publishPlanner.js';
import { plannedEmulation, zoneOf } from './runSoFar.js';

interface PublishOptions {
  database: Database;
  admission: Admission;
  planner: PublishPlanner;
  maxReadsPerSecond: number;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** Publishing one interval: plan, admit, and how far it has come. */
export function createPublishService(options: PublishOptions) {
  const { database, admission, planner, readsRetentionDays, now } = options;
  const rate = pacedRate(options.maxReadsPerSecond);

  /** @throws ApiError 400 for an interval that cannot be published. */
  const intervalOf = ({ readAt: asked, intervalMinutes }: PublishOnceRequest): Date => {
    const at = now();
    const readAt = asked ?? getAlignedIntervalTimestamp(intervalMinutes, at);
    requirePublishable('readAt', readAt, intervalMinutes, at, readsRetentionDays);
    return readAt;
  };

  const admit = async (request: PublishOnceRequest, readAt: Date, requestId: string) => {
    const settings = await settingsOf(database, request);
    const plan = await planner.plan(settings);
    const { onConflict } = request;
    const record = publishRecord(settings, plan, {
      readAt,
      origin: 'manual',
      lane: 'live',
      onConflict,
      requestId,
    });
    const { lastStartInMs } = await admission.admit(record);
    return {
      publishId: record.publishId,
      tenantId: request.tenantId,
      readAt,
      intervalStart: readAt,
      intervalEnd: intervalEnd(readAt, request.intervalMinutes),
      enqueuedJobs: plan.batchCount,
      computedMeters: plan.fleet.meterCount,
      computedFeederCount: plan.fleet.feederCount,
      computedBatches: plan.batchCount,
      batchSize: plan.batchSize,
      estimatedRuntimeSeconds: Math.ceil(lastStartInMs / 100) / 10,
      safetyWarnings: plan.safetyWarnings,
    };
  };

  return {
    /** What a publish would do; writes nothing. */
    async dryRun(request: PublishOnceRequest) {
      intervalOf(request);
      const plan = await planner.preview(await settingsOf(database, request));
      return {
        dryRun: true as const,
        computedMeters: plan.fleet.meterCount,
        computedFeederCount: plan.fleet.feederCount,
        computedBatches: plan.batchCount,
        estimatedJobs: plan.batchCount,
        estimatedRuntimeSeconds: estimateRuntimeSeconds(plan.fleet.meterCount, rate),
        safetyWarnings: plan.safetyWarnings,
      };
    },

    /** Accepts a publish, or throws what `Admission.admit` throws; ApiError 400 when there is nothing to publish. */
    async publish(request: PublishOnceRequest, requestId: string) {
      const readAt = intervalOf(request);
      const attempt = () => admit(request, readAt, requestId);
      return attempt().catch((error) => {
        if (isSnapshotGone(error)) return attempt();
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

async function settingsOf(database: Database, request: PublishOnceRequest): Promise<FleetSettings> {
  const { tenantId, intervalMinutes, batchSize, fleet } = request;
  const { meterCount = null, feederCount = null, seed = null, climate = DEFAULT_CLIMATE } = request;
  const emulation = await plannedEmulation(database, tenantId, request);
  const timeZone = request.timeZone ?? zoneOf(emulation);
  return {
    ...{ tenantId, intervalMinutes, batchSize, meterCount, feederCount, fleet, seed, timeZone, climate },
    emulation,
  };
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

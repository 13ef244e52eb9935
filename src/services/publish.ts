import { randomUUID } from 'node:crypto';
import { ApiError } from '../contracts/errors.js';
import { type PublishOnceRequest, requireReadableInstant } from '../contracts/requests.js';
import type { Database } from '../db.js';
import { getAlignedIntervalTimestamp, intervalEnd } from '../emulator/intervals.js';
import { estimateRuntimeSeconds, planPublish } from '../emulator/plan.js';
import { defaultSeed } from '../emulator/random.js';
import { type PublishOrigin, type PublishProgress, publishProgress } from '../stores/publishLedger.js';
import type { Admission } from './admission.js';
import { pacedRate } from './pace.js';

interface PublishOptions {
  database: Database;
  admission: Admission;
  maxReadsPerSecond: number;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** Publishing one interval: plan, admit, and how far it has come. */
export function createPublishService(options: PublishOptions) {
  const { database, admission, readsRetentionDays, now } = options;
  const rate = pacedRate(options.maxReadsPerSecond);
  return {
    /** What a publish would do; touches nothing. */
    dryRun(request: PublishOnceRequest) {
      const plan = planned(request, now(), readsRetentionDays);
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

    /** Accepts a publish, or throws what `Admission.admit` throws. */
    async publish(request: PublishOnceRequest, requestId: string, origin: PublishOrigin = 'manual') {
      const plan = planned(request, now(), readsRetentionDays);
      const { fleet, batchSize, batches, readAt } = plan;
      const publishId = randomUUID();
      const { lastStartInMs } = await admission.admit({
        publishId,
        tenantId: request.tenantId,
        origin,
        readAt,
        intervalMinutes: request.intervalMinutes,
        seed: request.seed ?? defaultSeed(request.tenantId),
        meterCount: fleet.meterCount,
        feederCount: fleet.feederCount,
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

function planned(request: PublishOnceRequest, now: Date, retentionDays: number | undefined) {
  if (request.fleet === 'registry') {
    const message = 'must be "synthetic": registry fleets are not available in this version';
    throw new ApiError(400, 'fleet_unavailable', `fleet ${message}.`, {
      details: [{ path: 'fleet', message }],
    });
  }
  const readAt = request.readAt ?? getAlignedIntervalTimestamp(request.intervalMinutes, now);
  requireReadableInstant(readAt, request.intervalMinutes, now, retentionDays);
  return { ...planPublish(request), readAt };
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

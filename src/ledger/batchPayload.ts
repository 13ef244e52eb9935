import type { BatchJobPayload } from '../contracts/batchJob.js';
import { batchRange } from './batchRange.js';
import type { PublishRecord } from './publishLedger.js';

/**
 * The job of one batch of a publish. It is made from what the ledger records alone, so a job that is enqueued
 * again after the queue was lost equals the first one.
 */
export function batchPayload(publish: PublishRecord, batch: number): BatchJobPayload {
  const { snapshotId, meterCount, feederCount } = publish;
  return {
    publishId: publish.publishId,
    batch,
    tenantId: publish.tenantId,
    readAt: publish.readAt.toISOString(),
    intervalMinutes: publish.intervalMinutes,
    seed: publish.seed,
    ...(snapshotId === null ? { fleet: { meterCount, feederCount } } : { fleetId: snapshotId, meterCount }),
    ...batchRange(publish, batch),
    timeZone: publish.timeZone,
    climate: publish.climate,
    onConflict: publish.onConflict,
    ...(publish.requestId === null ? {} : { requestId: publish.requestId }),
  };
}

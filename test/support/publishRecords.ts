import { randomUUID } from 'node:crypto';
import { defaultSeed } from '../../src/emulator/chance/random.js';
import type { PublishRecord } from '../../src/ledger/publishLedger.js';

type Given = Pick<PublishRecord, 'tenantId' | 'readAt' | 'meterCount'> & Partial<PublishRecord>;

/** A publish of a synthetic fleet as the planner would make it, whole unless a range is given. */
export function syntheticPublish(given: Given): PublishRecord {
  const publish = {
    publishId: randomUUID(),
    origin: 'manual' as const,
    lane: 'live' as const,
    intervalMinutes: 15 as const,
    seed: defaultSeed(given.tenantId),
    feederCount: 10,
    snapshotId: null,
    rangeFrom: 0,
    rangeTo: given.meterCount,
    timeZone: 'UTC',
    climate: 'us' as const,
    batchSize: 500,
    onConflict: 'nothing' as const,
    requestId: null,
    ...given,
  };
  const batchCount = Math.ceil((publish.rangeTo - publish.rangeFrom) / publish.batchSize);
  return { batchCount, ...publish };
}

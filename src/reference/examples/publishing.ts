import type { z } from 'zod';
import type { backfillAccepted, backfillProgress, backfillsAnswer } from '../../contracts/backfillAnswer.js';
import type { dryRunAnswer, publishAccepted, publishProgress } from '../../contracts/publishAnswer.js';

export const PUBLISH_ID = '2d0bbbf5-49be-4f27-93d5-99f56ae5791b';
export const BACKFILL_ID = '7c0a5d54-4c55-4c0b-9d2b-6a3f1a1f7f0e';

export const DRY_RUN: z.input<typeof dryRunAnswer> = {
  ok: true,
  dryRun: true,
  computedMeters: 25_000,
  computedFeederCount: 25,
  computedBatches: 50,
  estimatedJobs: 50,
  estimatedRuntimeSeconds: 10.3,
  safetyWarnings: [],
};

export const ACCEPTED: z.input<typeof publishAccepted> = {
  ok: true,
  publishId: PUBLISH_ID,
  tenantId: 'DEMO_TENANT',
  readAt: '2026-01-31T10:15:00.000Z',
  intervalStart: '2026-01-31T10:15:00.000Z',
  intervalEnd: '2026-01-31T10:30:00.000Z',
  enqueuedJobs: 2,
  computedMeters: 100,
  computedFeederCount: 10,
  computedBatches: 2,
  batchSize: 50,
  estimatedRuntimeSeconds: 0.1,
  safetyWarnings: [],
};

export const PROGRESS: z.input<typeof publishProgress> = {
  ok: true,
  publishId: PUBLISH_ID,
  tenantId: 'DEMO_TENANT',
  origin: 'manual',
  state: 'done',
  readAt: '2026-01-31T10:15:00.000Z',
  intervalStart: '2026-01-31T10:15:00.000Z',
  intervalEnd: '2026-01-31T10:30:00.000Z',
  batches: { done: 2, total: 2, failed: 0, cancelled: 0 },
  rows: { inserted: 100, updated: 0, duplicate: 0, skippedByOutage: 0 },
  acceptedAt: '2026-01-31T10:30:01.512Z',
  startedAt: '2026-01-31T10:30:01.540Z',
  finishedAt: '2026-01-31T10:30:01.733Z',
};

export const BACKFILL_ACCEPTED: z.input<typeof backfillAccepted> = {
  ok: true,
  backfillId: BACKFILL_ID,
  tenantId: 'DEMO_TENANT',
  from: '2026-01-30T00:00:00.000Z',
  to: '2026-01-30T01:00:00.000Z',
  intervals: 4,
  computedMeters: 100,
  computedBatches: 4,
  batchSize: 500,
  estimatedRuntimeSeconds: 0.2,
  existing: false,
  safetyWarnings: [],
};

const { ok: _ok, ...listed }: z.input<typeof backfillProgress> = {
  ok: true,
  publishId: BACKFILL_ID,
  backfillId: BACKFILL_ID,
  tenantId: 'DEMO_TENANT',
  origin: 'backfill',
  state: 'running',
  from: '2026-01-30T00:00:00.000Z',
  to: '2026-01-30T01:00:00.000Z',
  intervalMinutes: 15,
  meterCount: 100,
  batches: { done: 1, total: 4, failed: 0, cancelled: 0 },
  rows: { inserted: 100, updated: 0, duplicate: 0, skippedByOutage: 0 },
  intervals: { done: 1, overlapped: 0, total: 4 },
  acceptedAt: '2026-01-31T10:31:02.006Z',
  startedAt: '2026-01-31T10:31:03.100Z',
  finishedAt: null,
  estimatedSecondsLeft: 0.2,
};

export const BACKFILL: z.input<typeof backfillProgress> = { ok: true, ...listed };
export const BACKFILLS: z.input<typeof backfillsAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  backfills: [listed],
};

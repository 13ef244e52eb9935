import type { z } from 'zod';
import type { schemaAnswer } from '../../contracts/schemaAnswer.js';
import type { readinessAnswer, scaleStatusAnswer, statusAnswer } from '../../contracts/statusAnswer.js';
import { ACTIVE } from './events.js';

const queue = { waiting: 0, delayed: 0, active: 0, failed: 0, completed: 12 };

export const STATUS: z.input<typeof statusAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  queue: { backend: 'redis', healthy: true, ...queue },
  workers: [
    {
      workerId: '9a1c0c61-4a55-4b0e-8c0f-0f5d6c1c2f3b',
      concurrency: 8,
      startedAt: '2026-01-31T10:00:00.000Z',
      heartbeatAt: '2026-01-31T10:46:01.000Z',
      lastJobAt: '2026-01-31T10:45:58.100Z',
    },
  ],
  heartbeat: { lastProcessedAt: '2026-01-31T10:45:58.100Z', ageSeconds: 4.2, ok: true },
  activeEvents: [ACTIVE],
  lastIngestAt: '2026-01-31T10:32:03.020Z',
  latestReadAt: '2026-01-31T10:30:00.000Z',
  recentJobs: { completed: 12, failed: 0, rows: 2_000, meanMs: 24, p95Ms: 51, windowSeconds: 900 },
};

export const SCALE_STATUS: z.input<typeof scaleStatusAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  totalDistinctMeters: 500,
  totalReads: 2_000,
  latestReadAt: '2026-01-31T10:30:00.000Z',
  queue,
  ingestionRate: { readsPerSecond: 16.7, windowSeconds: 60 },
};

export const READY: z.input<typeof readinessAnswer> = {
  ok: true,
  dependencies: { postgres: { ok: true }, queue: { ok: true }, worker: { ok: true } },
};

const own = (column: string, type: string) => ({ column, type, source: 'own' });

export const SCHEMA: z.input<typeof schemaAnswer> = {
  ok: true,
  ownSchema: 'public',
  reads: {
    table: 'public.meter_reads_electric',
    madeByGridLens: true,
    columns: {
      tenantId: own('tenant_id', 'text'),
      meterId: own('meter_id', 'text'),
      readAt: own('read_at', 'timestamp with time zone'),
      kwh: own('kwh', 'numeric'),
    },
    key: {
      name: 'meter_reads_electric_key',
      columns: ['tenant_id', 'meter_id', 'read_at'],
      source: 'own',
    },
    timesWithoutZoneAre: null,
    qualityFlagBits: null,
    feedIn: 'received_kwh',
    filledOnInsert: [],
  },
  meters: {
    table: 'public.meters',
    madeByGridLens: true,
    columns: { meterId: own('meter_id', 'text'), isActive: null },
  },
  feeders: {
    table: 'public.feeders',
    madeByGridLens: true,
    columns: { feederId: own('feeder_id', 'text') },
    alsoKnownBy: ['feeder_name'],
  },
  kpiViews: { v_kpi_fieldops_daily: { view: 'public.v_kpi_fieldops_daily', madeByGridLens: true } },
  changes: [
    {
      changedAt: '2026-01-31T10:00:00.000Z',
      kind: 'create',
      table: 'public.meters',
      reason: 'There was no table of meters.',
    },
  ],
};

import type { z } from 'zod';
import type { autoStarted, autoStatus, autoStopped } from '../../contracts/autoAnswer.js';

const config: z.input<typeof autoStarted>['config'] = {
  tenantId: 'DEMO_TENANT',
  meterCount: 500,
  feederCount: 25,
  batchSize: 500,
  intervalMinutes: 15,
  catchUpIntervals: 4,
  fleet: 'synthetic',
  timeZone: 'UTC',
  climate: 'us',
  model: 1,
  startedAt: '2026-01-31T10:32:00.000Z',
};

export const STARTED: z.input<typeof autoStarted> = {
  ok: true,
  mode: 'auto',
  tenantId: 'DEMO_TENANT',
  nextRunAt: '2026-01-31T10:45:00.000Z',
  config,
  safetyWarnings: [],
};

export const STOPPED: z.input<typeof autoStopped> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  wasEnabled: true,
  safetyWarnings: [],
};

export const AUTO_STATUS: z.input<typeof autoStatus> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  enabled: true,
  config,
  lastAlignedInterval: '2026-01-31T10:30:00.000Z',
  latestReadAt: '2026-01-31T10:30:00.000Z',
  nextRunAt: '2026-01-31T10:45:00.000Z',
  queue: { waiting: 0, delayed: 1, active: 0, failed: 0, completed: 12 },
  waiting: [{ readAt: '2026-01-31T09:45:00.000Z', claimedAt: null, failure: null, nextTryAt: null }],
  missed: null,
  replay: null,
};

import type { z } from 'zod';
import type { quickcheckAnswer } from '../../contracts/quickcheckAnswer.js';
import type {
  feederMatrixAnswer,
  feederMetersAnswer,
  feederSeriesAnswer,
  meterSeriesAnswer,
  tenantsAnswer,
} from '../../contracts/seriesAnswer.js';
import type { zoneAnswer } from '../../contracts/zoneAnswer.js';
import { ACTIVE } from './events.js';

const interval = {
  intervalStart: '2026-01-31T10:30:00.000Z',
  intervalEnd: '2026-01-31T10:45:00.000Z',
};
const summary = {
  ...interval,
  complete: true,
  expectedMeters: 500,
  reportingMeters: 500,
  reportingPct: 100,
  estimatedPct: 0,
  lossPct: 7.212,
  receivedKwh: 12.406,
  lowVoltageMeters: 0,
};

export const ZONE: z.input<typeof zoneAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  timeZone: 'UTC',
  nextTimeZone: null,
};

export const QUICKCHECK: z.input<typeof quickcheckAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  generatedAt: '2026-01-31T10:46:00.000Z',
  timeZone: 'UTC',
  loss: { min: 7.212, max: 7.212, avg: 7.212 },
  overview: [
    {
      day: '2026-01-31',
      feeders: 25,
      intervals: 1,
      reads: 500,
      expectedMeters: 500,
      completenessPct: 100,
      kwh: 171.4,
      deliveredKwh: 184.721,
      receivedKwh: 12.406,
      lossKwh: 13.321,
      lossPct: 7.212,
      minVoltage: 118.2,
      lowVoltageReads: 0,
      implausibleReads: 0,
      estimatedPct: 0,
    },
  ],
  feederLoss: [
    {
      day: '2026-01-31',
      feederId: 'FEEDER_7',
      reads: 20,
      kwh: 1.52,
      deliveredKwh: 8.01,
      receivedKwh: null,
      lossKwh: 6.49,
      lossPct: 81.024,
      minVoltage: 119.4,
    },
  ],
  suspiciousMeters: [
    {
      day: '2026-01-31',
      meterId: 'DEMO_TENANT-MTR-00007',
      feederId: 'FEEDER_7',
      suspiciousIntervals: 1,
      registeredKwh: 0.08,
      deliveredKwh: 0.421,
      missingKwh: 0.33,
      missingPct: 80.488,
      firstIntervalAt: '2026-01-31T10:30:00.000Z',
      lastIntervalAt: '2026-01-31T10:30:00.000Z',
      reason: '80.5 % of the energy delivered in 1 interval is missing, where technical loss is 2.6 %',
    },
  ],
  fieldOps: [
    {
      day: '2026-01-31',
      feederId: 'FEEDER_3',
      priority: 1,
      expectedMeters: 20,
      silentMeters: 2,
      undervoltageMeters: 0,
      minVoltage: 118.9,
      completenessPct: 90,
      reason: '2 of 20 meters silent in the interval from 10:30',
      estimatedPct: 0,
    },
  ],
  reportingSummary: summary,
  latest: summary,
  latestComplete: summary,
  staleMetersBuckets: { current: 500, staleOver15m: 0, staleOver1h: 0, staleOver24h: 0 },
  staleMetersReference: '2026-01-31T10:30:00.000Z',
  latestFeeders: [
    {
      feederId: 'FEEDER_7',
      reportingMeters: 20,
      expectedMeters: 20,
      reportingPct: 100,
      estimatedPct: 0,
      lossPct: 81.024,
      receivedKwh: null,
      minVoltage: 119.4,
      lowVoltageMeters: 0,
      activeEvents: ['theft'],
    },
  ],
  activeEvents: [ACTIVE],
  vee: {
    isOn: true,
    validatedTo: '2026-01-31T10:45:00.000Z',
    estimatedTo: null,
    lastRun: {
      ...{ runId: 17, from: '2026-01-31T10:30:00.000Z', to: '2026-01-31T10:45:00.000Z' },
      ...{
        finishedAt: '2026-01-31T10:31:05.190Z',
        reads: 500,
        findings: { spike: 1 },
        marked: 0,
        estimated: {},
      },
    },
  },
};

export const TENANTS: z.input<typeof tenantsAnswer> = {
  ok: true,
  tenants: [{ tenantId: 'DEMO_TENANT', latestReadAt: '2026-01-31T10:30:00.000Z', automatic: true }],
  next: null,
};

const steps = {
  from: '2026-01-31T10:00:00.000Z',
  to: '2026-01-31T10:30:00.000Z',
  times: ['2026-01-31T10:00:00.000Z', '2026-01-31T10:15:00.000Z'],
};

export const MATRIX: z.input<typeof feederMatrixAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  timeZone: 'UTC',
  ...steps,
  resolution: 'interval',
  stepMinutes: 15,
  feeders: [
    { feederId: 'FEEDER_1', lossPct: [7.11, 7.204], completenessPct: [100, 100] },
    { feederId: 'FEEDER_2', lossPct: [7.31, null], completenessPct: [100, 0] },
  ],
};

export const FEEDER: z.input<typeof feederSeriesAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  feederId: 'FEEDER_7',
  timeZone: 'UTC',
  ...steps,
  resolution: 'interval',
  stepMinutes: 15,
  expectedMeters: [20, 20],
  reportingMeters: [20, 19],
  completenessPct: [100, 95],
  estimatedPct: [0, 5.263],
  kwh: [7.21, 6.98],
  deliveredKwh: [7.78, 7.52],
  receivedKwh: [0.412, 0.398],
  lossPct: [7.326, 7.181],
  minVoltage: [119.4, 119.2],
  lowVoltageReads: [0, 0],
};

export const FEEDER_METERS: z.input<typeof feederMetersAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  feederId: 'FEEDER_7',
  ...interval,
  meters: [
    {
      meterId: 'DEMO_TENANT-MTR-00007',
      kwh: 0.08,
      deliveredKwh: 0.421,
      voltage: 121.3,
      suspicious: true,
      lowVoltage: false,
      reported: true,
    },
    {
      meterId: 'DEMO_TENANT-MTR-00032',
      kwh: null,
      deliveredKwh: null,
      voltage: null,
      suspicious: false,
      lowVoltage: false,
      reported: false,
    },
  ],
  next: 'DEMO_TENANT-MTR-00032',
};

export const METER: z.input<typeof meterSeriesAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  meterId: 'DEMO_TENANT-MTR-00007',
  feederId: 'FEEDER_7',
  ...steps,
  stepMinutes: 15,
  kwh: [0.401, 0.08],
  deliveredKwh: [0.43, 0.421],
  voltage: [121.1, 121.3],
  flags: [[], ['SUSPICIOUS']],
  events: [{ ...ACTIVE, meterFraction: null }].map(({ feederId: _feederId, ...event }) => event),
};

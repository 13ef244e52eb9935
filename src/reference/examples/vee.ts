import type { z } from 'zod';
import type {
  veeRulesAnswer,
  veeRunAccepted,
  veeRunAnswer,
  veeSummaryAnswer,
} from '../../contracts/veeAnswer.js';
import { DEFAULT_RULES, RULE_DEFINITIONS, VEE_RULES } from '../../contracts/veeRules.js';

export const RUN_ID = '17';

export const RULES: z.input<typeof veeRulesAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  isOn: true,
  estimates: false,
  graceIntervals: 4,
  timeZone: 'America/New_York',
  timeZoneOf: 'tenant',
  rules: VEE_RULES.map((rule) => {
    const { name, finds, unit } = RULE_DEFINITIONS[rule];
    return { rule, name, finds, unit, ...DEFAULT_RULES[rule], usual: DEFAULT_RULES[rule] };
  }),
};

export const ACCEPTED: z.input<typeof veeRunAccepted> = {
  ok: true,
  runId: 17,
  tenantId: 'DEMO_TENANT',
  origin: 'request',
  from: '2026-01-30T00:00:00.000Z',
  to: '2026-01-31T00:00:00.000Z',
  estimate: false,
  state: 'waiting',
  meters: 0,
  reads: 0,
  findings: {},
  kept: 0,
  marked: 0,
  estimated: {},
  requestedAt: '2026-01-31T10:31:02.006Z',
  startedAt: null,
  finishedAt: null,
};

export const RUN: z.input<typeof veeRunAnswer> = {
  ...ACCEPTED,
  state: 'done',
  meters: 500,
  reads: 47_996,
  findings: { missing: 1, negative: 1 },
  kept: 2,
  marked: 1,
  startedAt: '2026-01-31T10:31:03.100Z',
  finishedAt: '2026-01-31T10:31:05.190Z',
  found: [
    {
      ...{ meterId: 'DEMO_TENANT-MTR-00007', rule: 'missing', severity: 'flag', value: 1, limit: 0 },
      ...{ from: '2026-01-30T10:00:00.000Z', to: '2026-01-30T11:00:00.000Z' },
    },
    {
      ...{ meterId: 'DEMO_TENANT-MTR-00011', rule: 'negative', severity: 'fail', value: -0.25, limit: 0 },
      ...{ from: '2026-01-30T12:15:00.000Z', to: '2026-01-30T12:30:00.000Z' },
    },
  ],
};

export const SUMMARY: z.input<typeof veeSummaryAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  from: '2026-01-30T00:00:00.000Z',
  to: '2026-01-31T00:00:00.000Z',
  rules: [
    { rule: 'missing', findings: 1, meters: 1 },
    { rule: 'negative', findings: 1, meters: 1 },
  ],
  qualities: [
    { quality: 'questionable', reads: 1 },
    { quality: 'raw', reads: 47_995 },
  ],
  estimates: { standing: 0, gaveWay: 0 },
  reads: { arrived: 47_996, estimated: 0, estimatedPct: 0 },
};

import type { z } from 'zod';
import type {
  dryRunAnswer,
  importListed,
  importProgress,
  importsAnswer,
  refusalsAnswer,
  uploadAnswer,
} from '../../contracts/importAnswer.js';

export const IMPORT_ID = '17';

const LISTED: z.input<typeof importListed> = {
  importId: 17,
  tenantId: 'DEMO_TENANT',
  origin: 'import',
  fileName: 'nem12-15min.csv',
  format: 'nem12',
  state: 'done',
  reads: 288,
  from: '2026-01-03T14:00:00.000Z',
  to: '2026-01-06T13:45:00.000Z',
  batches: { done: 1, total: 1, failed: 0, cancelled: 0 },
  rows: {
    ...{ inserted: 280, replaced: 6, unchanged: 1, refused: 1, refusedByRules: 1, repeated: 0 },
    left: { 'KVARH (K1)': 288 },
  },
  metersRegistered: 1,
  acceptedAt: '2026-01-31T10:31:02.006Z',
  startedAt: '2026-01-31T10:31:03.100Z',
  finishedAt: '2026-01-31T10:31:03.190Z',
};

export const IMPORT: z.input<typeof importProgress> = {
  ok: true,
  ...LISTED,
  refusals: [
    {
      line: 4,
      meterId: 'NTEST00001',
      readAt: '2026-01-04T01:15:00.000Z',
      reason: 'a read that is worth more stands there (validated), and this one is estimated',
    },
  ],
};
export const REFUSALS: z.input<typeof refusalsAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  importId: 17,
  refusals: [
    {
      line: 2,
      meterId: 'NTEST00009',
      reason: 'meter NTEST00009 is not in the registry: --register takes it in, as npm run fleet does',
      rows: 96,
    },
  ],
  next: 4_711,
};
export const IMPORTS: z.input<typeof importsAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  imports: [LISTED],
};

const { ok: _, ...PROGRESS } = IMPORT;
export const TAKEN: z.input<typeof uploadAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  importId: 17,
  imports: [PROGRESS],
};
export const DRY_RUN: z.input<typeof dryRunAnswer> = {
  ok: true,
  dryRun: true,
  tenantId: 'DEMO_TENANT',
  files: [
    {
      fileName: 'nem12-15min.csv',
      format: 'nem12',
      reads: 288,
      rows: {
        ...{ written: 280, replaced: 6, unchanged: 1, refused: 1, refusedByRules: 1, repeated: 0 },
        left: { 'KVARH (K1)': 288 },
      },
      metersToRegister: 1,
      reasons: [
        {
          reason: 'a read that is worth more stands there (validated), and this one is estimated',
          reads: 1,
        },
      ],
      byDay: [
        {
          ...{ meterId: 'NTEST00001', day: '2026-01-04', written: 88, replaced: 6, unchanged: 1 },
          refusedByRules: 1,
        },
      ],
      moreDays: 2,
      refusals: [{ line: 12, reason: 'the energy is much kWh: it must be a number' }],
    },
  ],
};

import type { z } from 'zod';
import type { readsAnswer } from '../../contracts/readsAnswer.js';

export const READS: z.input<typeof readsAnswer> = {
  ok: true,
  tenantId: 'DEMO_TENANT',
  from: '2026-01-31T10:00:00.000Z',
  to: '2026-01-31T10:30:00.000Z',
  asOf: '2026-02-01T00:00:00.000Z',
  reads: [
    {
      ...{
        meterId: 'DEMO_TENANT-MTR-00001',
        feederId: 'FEEDER_1',
        start: '2026-01-31T10:00:00.000Z',
        minutes: 15,
      },
      ...{
        kwh: 0.21,
        receivedKwh: null,
        deliveredKwh: null,
        voltage: null,
        quality: 'estimated',
        method: 'linear',
      },
      ...{ writtenAt: '2026-01-31T12:00:03.100Z', replacedAt: '2026-02-02T08:15:00.000Z' },
    },
  ],
  unknown: 0,
};

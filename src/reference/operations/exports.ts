import { z } from 'zod';
import { exportQuery } from '../../contracts/exportRequest.js';
import type { Operation } from '../operation.js';

export const exports: Operation[] = [
  {
    method: 'get',
    path: '/api/ami/exports',
    id: 'exportReads',
    tag: 'Exports',
    summary: 'Interval reads as a file',
    description:
      'Streamed, in chunks. Behind the file comes the trailer `GridLens-Export`, JSON: how many values it has, their sums, and what the format could not carry, by reason. An export that fails ends the connection: a file whose transfer ended cleanly is whole. A process sends two at once.',
    key: 'any',
    query: exportQuery,
    given: { tenantId: 'DEMO_TENANT', from: '2026-01-31', to: '2026-01-31', format: 'csv', zone: 'UTC' },
    answers: {
      200: {
        description: 'The file.',
        schema: z.string(),
        contentType: '*/*',
        headers: { 'Content-Disposition': 'A name for the file.' },
      },
    },
    errors: [],
  },
];

import { z } from 'zod';
import { exportQuery } from '../../contracts/exportRequest.js';
import { readsAnswer } from '../../contracts/readsAnswer.js';
import { readsQuery } from '../../contracts/readsRequest.js';
import { READS } from '../examples/reads.js';
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
  {
    method: 'get',
    path: '/api/ami/reads',
    id: 'listReads',
    tag: 'Exports',
    summary: 'Interval reads of some meters',
    description:
      'As they are, or with `asOf` as they stood at an instant: what was replaced since has its former value, and what was written since is not there. `meters` or `meter` must name the meters. A page has as many reads as `limit` says, and all of the last one’s start.',
    key: 'any',
    query: readsQuery,
    given: {
      ...{ tenantId: 'DEMO_TENANT', from: '2026-01-31T10:00:00Z', to: '2026-01-31T10:30:00Z' },
      meters: 'DEMO_TENANT-MTR-00001',
    },
    answers: {
      200: { description: 'A page of them.', schema: readsAnswer, examples: { answer: READS } },
    },
    errors: ['not_found'],
  },
];

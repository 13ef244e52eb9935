import { tenantQuery } from '../../contracts/fields.js';
import { schemaAnswer } from '../../contracts/schemaAnswer.js';
import {
  healthAnswer,
  readinessAnswer,
  scaleStatusAnswer,
  statusAnswer,
} from '../../contracts/statusAnswer.js';
import { readinessQuery } from '../../contracts/statusRequest.js';
import { READY, SCALE_STATUS, SCHEMA, STATUS } from '../examples/status.js';
import { type Operation, taggedAnswers } from '../operation.js';

export const status: Operation[] = [
  {
    method: 'get',
    path: '/api/ami/status',
    id: 'getStatus',
    tag: 'Status',
    summary: 'Queue, workers, events and what happened lately',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('With a key also the host and process of each worker.', statusAnswer, STATUS),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/scale/status',
    id: 'getScaleStatus',
    tag: 'Status',
    summary: 'Totals, depth of the queue, and rate',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('The totals of a tenant.', scaleStatusAnswer, SCALE_STATUS),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/schema',
    id: 'getSchema',
    tag: 'Status',
    summary: 'Which tables and columns carry what',
    key: 'read',
    answers: taggedAnswers('With a key also the statement of each change.', schemaAnswer, SCHEMA),
    errors: [],
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'getHealth',
    tag: 'Status',
    summary: 'The process lives',
    key: 'none',
    answers: taggedAnswers('It does. Nothing else is looked at.', healthAnswer, { ok: true }),
    errors: [],
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'getReadiness',
    tag: 'Status',
    summary: 'Each dependency by name',
    description:
      '503 where Postgres or the queue does not answer or takes no writes, where the clock of this machine is wrong, and with `require=worker` where no worker does jobs.',
    key: 'none',
    query: readinessQuery,
    given: { require: 'worker' },
    answers: taggedAnswers('Ready.', readinessAnswer, READY),
    errors: ['unavailable'],
  },
];

import { backfillAccepted, backfillProgress, backfillsAnswer } from '../../contracts/backfillAnswer.js';
import { backfillParameters, backfillRequest } from '../../contracts/backfillRequest.js';
import { tenantQuery } from '../../contracts/fields.js';
import { BACKFILL, BACKFILL_ACCEPTED, BACKFILL_ID, BACKFILLS } from '../examples/publishing.js';
import { type Operation, taggedAnswers } from '../operation.js';

export const backfill: Operation[] = [
  {
    method: 'post',
    path: '/api/ami/backfill',
    id: 'startBackfill',
    tag: 'Backfill',
    summary: 'Fill a span of the past',
    description:
      'Fills what is missing, the newest interval first, in what live work leaves free. Repeating it is safe: one that is under way and does all of it is answered with `existing`. What is not given is as in the tenant’s automatic mode.',
    key: 'write',
    body: {
      schema: backfillRequest,
      examples: {
        'An hour of a small fleet': {
          tenantId: 'DEMO_TENANT',
          from: '2026-01-30T00:00:00Z',
          to: '2026-01-30T01:00:00Z',
          meterCount: 100,
          feederCount: 10,
        },
      },
    },
    answers: {
      202: {
        description: 'Accepted, or found under way.',
        schema: backfillAccepted,
        examples: { accepted: BACKFILL_ACCEPTED },
      },
    },
    errors: ['registry_empty', 'fleet_unavailable'],
  },
  {
    method: 'get',
    path: '/api/ami/backfill/{backfillId}',
    id: 'getBackfill',
    tag: 'Backfill',
    summary: 'How far a backfill has come',
    key: 'read',
    parameters: backfillParameters,
    given: { backfillId: BACKFILL_ID },
    answers: taggedAnswers('Its progress, in the form of a publish’s.', backfillProgress, BACKFILL),
    errors: ['not_found'],
  },
  {
    method: 'post',
    path: '/api/ami/backfill/{backfillId}/cancel',
    id: 'cancelBackfill',
    tag: 'Backfill',
    summary: 'End a backfill',
    description: 'Ends it after the interval that it has begun. One that is over stays as it is.',
    key: 'write',
    parameters: backfillParameters,
    given: { backfillId: BACKFILL_ID },
    answers: {
      200: { description: 'Its progress.', schema: backfillProgress, examples: { answer: BACKFILL } },
    },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/backfills',
    id: 'listBackfills',
    tag: 'Backfill',
    summary: 'A tenant’s latest backfills',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('The latest 50, the latest first.', backfillsAnswer, BACKFILLS),
    errors: [],
  },
];

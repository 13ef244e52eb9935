import { z } from 'zod';
import { backfillProgress } from '../../contracts/backfillAnswer.js';
import { dryRunAnswer, publishAccepted, publishProgress } from '../../contracts/publishAnswer.js';
import { publishOnceRequest, publishParameters } from '../../contracts/publishRequest.js';
import { ACCEPTED, DRY_RUN, PROGRESS, PUBLISH_ID } from '../examples/publishing.js';
import { type Operation, taggedAnswers } from '../operation.js';

export const publishing: Operation[] = [
  {
    method: 'post',
    path: '/api/ami/publish-once',
    id: 'publishOnce',
    tag: 'Publishing',
    summary: 'Publish one interval',
    description:
      'Accepts the reads of one interval whole or not at all. Reads that are there already stay as they are, so repeating it is safe. A number beyond a limit is moved to the limit, and `safetyWarnings` says so.',
    key: 'write',
    body: {
      schema: publishOnceRequest,
      examples: {
        'A small fleet, the running interval': { tenantId: 'DEMO_TENANT' },
        'What it would mean, nothing written': {
          tenantId: 'DEMO_TENANT',
          meterCount: 25_000,
          feederCount: 25,
          batchSize: 500,
          dryRun: true,
        },
        'An interval of the past, by the clock of Berlin': {
          tenantId: 'DEMO_TENANT',
          readAt: '2026-01-31T10:15:00Z',
          meterCount: 100,
          feederCount: 10,
          batchSize: 50,
          seed: 'summer',
          timeZone: 'Europe/Berlin',
          climate: 'germany',
          onConflict: 'update',
        },
        'Homes in Germany, roofs on four of ten': {
          tenantId: 'DEMO_TENANT',
          place: 'germany',
          der: { pv: 0.4, ev: 0.15, heatPump: 0.15, battery: 0.1 },
        },
      },
    },
    answers: {
      200: {
        description: 'A dry run: what a publish would mean.',
        schema: dryRunAnswer,
        examples: { 'dry run': DRY_RUN },
      },
      202: {
        description: 'Accepted: workers write it at the pace of the deployment.',
        schema: publishAccepted,
        examples: { accepted: ACCEPTED },
      },
    },
    errors: ['registry_empty', 'fleet_unavailable', 'backpressure'],
  },
  {
    method: 'get',
    path: '/api/ami/publish/{publishId}',
    id: 'getPublish',
    tag: 'Publishing',
    summary: 'How far a publish has come',
    description: 'Takes the id of a backfill, too, and answers in its form then.',
    key: 'read',
    parameters: publishParameters,
    given: { publishId: PUBLISH_ID },
    answers: taggedAnswers('Its progress.', z.union([publishProgress, backfillProgress]), PROGRESS),
    errors: ['not_found'],
  },
];

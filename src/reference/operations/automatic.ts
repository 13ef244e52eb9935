import { autoStarted, autoStatus, autoStopped } from '../../contracts/autoAnswer.js';
import { autoStartRequest, autoStopRequest } from '../../contracts/autoRequest.js';
import { tenantQuery } from '../../contracts/fields.js';
import { AUTO_STATUS, STARTED, STOPPED } from '../examples/automatic.js';
import { type Operation, taggedAnswers } from '../operation.js';

const stopping = {
  'One tenant': { tenantId: 'DEMO_TENANT' },
};

function start(path: string, id: string, size: string, examples: Record<string, object>): Operation {
  return {
    method: 'post',
    path,
    id,
    tag: 'Automatic mode',
    summary: `Publish every interval of a tenant, ${size} unless told otherwise`,
    description:
      'Kept through restarts and outages. The same start again changes nothing, another one changes the settings. With `replay` the tenant starts in the past and runs faster until it has caught up.',
    key: 'write',
    body: { schema: autoStartRequest, examples },
    answers: {
      200: { description: 'It runs.', schema: autoStarted, examples: { started: STARTED } },
    },
    errors: ['registry_empty', 'fleet_unavailable'],
  };
}

function stop(path: string, id: string): Operation {
  return {
    method: 'post',
    path,
    id,
    tag: 'Automatic mode',
    summary: 'Stop it',
    description: 'What was accepted before is still written. Safe where nothing runs.',
    key: 'write',
    body: { schema: autoStopRequest, examples: stopping },
    answers: {
      200: { description: 'It does not run any more.', schema: autoStopped, examples: { stopped: STOPPED } },
    },
    errors: [],
  };
}

export const automatic: Operation[] = [
  start('/api/ami/auto/start', 'startAutomaticMode', '25,000 meters', {
    'A fleet of 500': { tenantId: 'DEMO_TENANT', meterCount: 500, feederCount: 25, catchUpIntervals: 4 },
    'From the past, a quarter hour a minute': {
      tenantId: 'DEMO_TENANT',
      meterCount: 100,
      feederCount: 10,
      replay: { from: '2026-01-31T10:00:00Z', speed: 15 },
    },
  }),
  stop('/api/ami/auto/stop', 'stopAutomaticMode'),
  start('/api/ami/start', 'start', '500 meters', { 'One tenant': { tenantId: 'DEMO_TENANT' } }),
  stop('/api/ami/stop', 'stop'),
  {
    method: 'get',
    path: '/api/ami/auto/status',
    id: 'getAutomaticMode',
    tag: 'Automatic mode',
    summary: 'How it is set, how far it is, and what it waits for',
    key: 'read',
    query: tenantQuery,
    given: { tenantId: 'DEMO_TENANT' },
    answers: taggedAnswers('Also where it never ran.', autoStatus, AUTO_STATUS),
    errors: [],
  },
];

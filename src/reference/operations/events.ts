import { eventAnswer, eventCreated, eventsAnswer } from '../../contracts/eventAnswer.js';
import { EVENT_REQUESTS, eventParameters, eventsQuery } from '../../contracts/eventRequest.js';
import { CREATED, ENDED, EVENT_ID, EVENTS, FOUND } from '../examples/events.js';
import { type Operation, taggedAnswers } from '../operation.js';

const CREATE = {
  theft: {
    id: 'injectTheft',
    summary: 'Inject a theft',
    description:
      'Meters of the feeder register less than is delivered to them: `severity` is the share left out. `form` has other ways of stealing than one factor.',
    examples: {
      'Shown at once': {
        tenantId: 'DEMO_TENANT',
        feederId: 'FEEDER_7',
        durationMinutes: 60,
        severity: 0.8,
        applyNow: true,
      },
      'At zero for a part of each day': {
        tenantId: 'DEMO_TENANT',
        feederId: 'FEEDER_7',
        durationMinutes: 10_080,
        severity: 0.25,
        startAt: '2026-01-31T00:00:00Z',
        meterFraction: 0.02,
        form: 'window',
      },
    },
  },
  'comms-outage': {
    id: 'injectCommsOutage',
    summary: 'Inject a comms outage',
    description:
      'Reads of the feeder do not arrive: `severity` is the probability that one is missing. No read that has arrived is deleted. With `"delivery": "late"` the meters keep their reads and deliver them after the outage, in bursts and out of order.',
    examples: {
      'Delivered late': {
        tenantId: 'DEMO_TENANT',
        feederId: 'FEEDER_7',
        durationMinutes: 120,
        severity: 1,
        delivery: 'late',
      },
      'Two meters alone': {
        tenantId: 'DEMO_TENANT',
        feederId: 'FEEDER_3',
        durationMinutes: 60,
        severity: 1,
        startAt: '2026-01-31T10:15:00Z',
        meterIds: ['DEMO_TENANT-MTR-00003', 'DEMO_TENANT-MTR-00028'],
      },
    },
  },
  'voltage-sag': {
    id: 'injectVoltageSag',
    summary: 'Inject a voltage sag',
    description: 'Voltage on the feeder falls to 114 − 24 × `severity` volts.',
    examples: {
      'Half of the meters': {
        tenantId: 'DEMO_TENANT',
        feederId: 'FEEDER_2',
        durationMinutes: 60,
        severity: 0.6,
        meterFraction: 0.5,
      },
    },
  },
};

export const events: Operation[] = [
  ...Object.entries(CREATE).map(
    ([type, { id, summary, description, examples }]): Operation => ({
      method: 'post',
      path: `/api/ami/event/${type}`,
      id,
      tag: 'Events',
      summary,
      description: `${description} The event changes every interval that it overlaps and that is published after it. With \`applyNow\` the latest published one that it overlaps is written anew. Two of the same add up: look at the list before you repeat a request. A body has at most 2.7 MB.`,
      key: 'write',
      body: { schema: EVENT_REQUESTS[type as keyof typeof EVENT_REQUESTS], examples },
      answers: {
        201: { description: 'The event.', schema: eventCreated, examples: { created: CREATED } },
      },
      errors: ['backpressure'],
    }),
  ),
  {
    method: 'post',
    path: '/api/ami/event/{id}/stop',
    id: 'stopEvent',
    tag: 'Events',
    summary: 'End an event now',
    description: 'Reads that were made with it stay as they are. An event that is over stays as it is.',
    key: 'write',
    parameters: eventParameters,
    given: { id: EVENT_ID },
    answers: { 200: { description: 'The event.', schema: eventAnswer, examples: { ended: ENDED } } },
    errors: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/ami/events',
    id: 'listEvents',
    tag: 'Events',
    summary: 'A tenant’s events',
    description: 'The latest start first. An event has the first 20 of its meter ids here.',
    key: 'read',
    query: eventsQuery,
    given: { tenantId: 'DEMO_TENANT', active: 'true', limit: '20' },
    answers: taggedAnswers('A page of them.', eventsAnswer, EVENTS),
    errors: [],
  },
  {
    method: 'get',
    path: '/api/ami/events/{id}',
    id: 'getEvent',
    tag: 'Events',
    summary: 'An event with all of its meter ids',
    key: 'read',
    parameters: eventParameters,
    given: { id: EVENT_ID },
    answers: taggedAnswers('The event.', eventAnswer, FOUND),
    errors: ['not_found'],
  },
];

import type { z } from 'zod';
import type { activeEvent, eventAnswer, eventCreated, eventsAnswer } from '../../contracts/eventAnswer.js';

export const EVENT_ID = '0b9e8620-fd24-4253-be30-92f71d7e81dc';

const event: z.input<typeof eventAnswer>['event'] = {
  id: EVENT_ID,
  tenantId: 'DEMO_TENANT',
  feederId: 'FEEDER_7',
  eventType: 'theft',
  severity: 0.8,
  startAt: '2026-01-31T10:15:00.000Z',
  endAt: '2026-01-31T11:15:00.000Z',
  isActive: true,
  state: 'active',
  meterIds: null,
  meterFraction: null,
  stoppedAt: null,
  createdAt: '2026-01-31T10:32:00.000Z',
};

export const ACTIVE: z.input<typeof activeEvent> = {
  id: EVENT_ID,
  feederId: 'FEEDER_7',
  eventType: 'theft',
  severity: 0.8,
  startAt: '2026-01-31T10:15:00.000Z',
  endAt: '2026-01-31T11:15:00.000Z',
};

export const CREATED: z.input<typeof eventCreated> = {
  ok: true,
  event,
  revision: {
    publishId: '0b00d5ac-3a52-4c45-8f15-e7dc48a49ed6',
    readAt: '2026-01-31T10:30:00.000Z',
    intervalStart: '2026-01-31T10:30:00.000Z',
    intervalEnd: '2026-01-31T10:45:00.000Z',
    enqueuedJobs: 1,
    computedMeters: 20,
    estimatedRuntimeSeconds: 0,
  },
  safetyWarnings: [
    'Only the interval 2026-01-31T10:30:00.000Z is revised, the latest published one that the event overlaps; reads of earlier intervals stay as they are.',
  ],
};

export const FOUND: z.input<typeof eventAnswer> = { ok: true, event };
export const ENDED: z.input<typeof eventAnswer> = {
  ok: true,
  event: {
    ...event,
    endAt: '2026-01-31T10:40:00.000Z',
    isActive: false,
    state: 'ended',
    stoppedAt: '2026-01-31T10:40:00.000Z',
  },
};
export const EVENTS: z.input<typeof eventsAnswer> = { ok: true, tenantId: 'DEMO_TENANT', events: [event] };

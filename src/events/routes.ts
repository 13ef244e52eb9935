import type { RequestHandler, Router } from 'express';
import {
  EVENT_REQUESTS,
  type EventRequest,
  eventParameters,
  eventsQuery,
} from '../contracts/eventRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { FEEDER_EVENT_TYPES } from '../emulator/events/feederEvent.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { EventService } from './events.js';

interface EventRoutes {
  events: EventService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `POST /event/<type>`, `POST /event/:id/stop`, `GET /events`, `GET /events/:id`. */
export function eventRoutes(router: Router, { events, requireKey, readable }: EventRoutes): void {
  for (const eventType of FEEDER_EVENT_TYPES) {
    const create = answerInTime(
      async (request, response) => {
        const body: EventRequest = parseRequest(EVENT_REQUESTS[eventType], request.body, 'The body');
        const created = await events.create(eventType, body, String(request.id));
        response.status(201).json({ ok: true, ...created });
      },
      // Two thefts multiply: unlike a publish, repeating this is not the same as once.
      'GET /api/ami/events?tenantId=… shows whether the event was created; look before you repeat it',
    );
    resource(router, `/event/${eventType}`, { post: [requireKey, ...jsonBody(), create] });
  }

  const stop = answerInTime(async (request, response) => {
    const { id } = parseRequest(eventParameters, request.params, 'The path');
    response.json({ ok: true, ...(await events.stop(id)) });
  }, 'repeating it is safe, since an event ends once');
  resource(router, '/event/:id/stop', { post: [requireKey, stop] });

  const list = answerInTime(async (request, response) => {
    const query = parseRequest(eventsQuery, request.query, 'The query');
    response.json({ ok: true, ...(await events.list(query)) });
  });
  const find = answerInTime(async (request, response) => {
    const { id } = parseRequest(eventParameters, request.params, 'The path');
    response.json({ ok: true, ...(await events.find(id)) });
  });
  router.use('/events', readable);
  resource(router, '/events', { get: [list] });
  resource(router, '/events/:id', { get: [find] });
}

import type { RequestHandler, Router } from 'express';
import { parseRequest, publishId, publishOnceRequest } from '../contracts/requests.js';
import { answerInTime } from '../http/deadline.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/methods.js';
import type { PublishService } from '../services/publish.js';

interface PublishRoutes {
  publish: PublishService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `POST /publish-once`, `GET /publish/:publishId`. */
export function publishRoutes(router: Router, { publish, requireKey, readable }: PublishRoutes): void {
  const publishOnce = answerInTime(async (request, response) => {
    const body = parseRequest(publishOnceRequest, request.body, 'The body');
    if (body.dryRun) {
      response.json({ ok: true, ...(await publish.dryRun(body)) });
      return;
    }
    const accepted = await publish.publish(body, String(request.id));
    response.status(202).json({ ok: true, ...accepted });
  });
  const progress = answerInTime(async (request, response) => {
    const id = parseRequest(publishId, request.params.publishId, 'publishId');
    response.json({ ok: true, ...(await publish.progress(id)) });
  });

  resource(router, '/publish-once', { post: [requireKey, ...jsonBody(), publishOnce] });
  router.use('/publish/:publishId', readable);
  resource(router, '/publish/:publishId', { get: [progress] });
}

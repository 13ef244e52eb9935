import type { RequestHandler, Router } from 'express';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError } from '../contracts/errors.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { publishOnceRequest, publishParameters } from '../contracts/publishRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import { withDeadline } from '../timing/deadline.js';
import type { PublishService } from './publish.js';

interface PublishRoutes {
  publish: PublishService;
  /** Finds a backfill: its progress is asked for by the same route, with its own id. */
  backfill: { find(id: string): Promise<object | undefined> };
  requireKey: RequestHandler;
  readable: RequestHandler;
}

function tooSlow(): ApiError {
  const message = 'Postgres did not answer in time; a dry run changes nothing, ask again.';
  return new ApiError(503, 'unavailable', message, { headers: { 'Retry-After': '5' } });
}

/** `POST /publish-once`, `GET /publish/:publishId`. */
export function publishRoutes(
  router: Router,
  { publish, backfill, requireKey, readable }: PublishRoutes,
): void {
  const publishOnce = answerInTime(async (request, response) => {
    const body = parseRequest(publishOnceRequest, request.body, 'The body');
    if (body.dryRun) {
      // A dry run accepts nothing, so a failure needs no advice about what was accepted.
      response.locals.advice = undefined;
      const dry = await withDeadline(() => publish.dryRun(body), answerBudget().dryRun, tooSlow);
      response.json({ ok: true, ...dry });
      return;
    }
    const accepted = await publish.publish(body, String(request.id));
    response.status(202).json({ ok: true, ...accepted });
  });
  const progress = answerInTime(async (request, response) => {
    const { publishId: id } = parseRequest(publishParameters, request.params, 'The path');
    response.json({ ok: true, ...((await backfill.find(id)) ?? (await publish.progress(id))) });
  });

  resource(router, '/publish-once', { post: [requireKey, ...jsonBody(), publishOnce] });
  router.use('/publish/:publishId', readable);
  resource(router, '/publish/:publishId', { get: [progress] });
}

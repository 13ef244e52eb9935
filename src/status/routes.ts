import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { resource } from '../http/resource.js';
import { sharedAnswer } from '../http/sharedAnswer.js';
import type { StatusService } from './status.js';
import type { LiveWorker } from './workers.js';

interface StatusRoutes {
  status: StatusService;
  readable: RequestHandler;
}

/**
 * `GET /status`, `GET /scale/status`. Which machines and processes do the work is for holders of a key: a stranger who
 * knows it knows what to attack.
 */
export function statusRoutes(router: Router, { status, readable }: StatusRoutes): void {
  const forTenant = (answer: (tenantId: string, toKeyHolder: boolean) => Promise<object>): RequestHandler =>
    sharedAnswer(async (request, toKeyHolder) => {
      const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
      return { body: { ok: true, ...(await answer(tenantId, toKeyHolder)) } };
    });
  const paths = {
    '/status': async (tenantId: string, toKeyHolder: boolean) => {
      const overview = await status.overview(tenantId);
      return toKeyHolder ? overview : { ...overview, workers: overview.workers.map(withoutPlace) };
    },
    '/scale/status': (tenantId: string) => status.scale(tenantId),
  };
  for (const [path, answer] of Object.entries(paths)) {
    router.use(path, readable);
    resource(router, path, { get: [forTenant(answer)] });
  }
}

function withoutPlace({ host: _host, pid: _pid, ...worker }: LiveWorker): Omit<LiveWorker, 'host' | 'pid'> {
  return worker;
}

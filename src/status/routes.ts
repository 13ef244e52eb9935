import type { RequestHandler, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { resource } from '../http/resource.js';
import { sharedAnswer } from '../http/sharedAnswer.js';
import type { StatusService } from './status.js';

interface StatusRoutes {
  status: StatusService;
  readable: RequestHandler;
}

/** `GET /status`, `GET /scale/status`. */
export function statusRoutes(router: Router, { status, readable }: StatusRoutes): void {
  const forTenant = (answer: (tenantId: string) => Promise<object>): RequestHandler =>
    sharedAnswer(async (request) => {
      const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
      return { body: { ok: true, ...(await answer(tenantId)) } };
    });
  const paths = {
    '/status': (tenantId: string) => status.overview(tenantId),
    '/scale/status': (tenantId: string) => status.scale(tenantId),
  };
  for (const [path, answer] of Object.entries(paths)) {
    router.use(path, readable);
    resource(router, path, { get: [forTenant(answer)] });
  }
}

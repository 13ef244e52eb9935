import type { Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { answerInTime } from '../http/deadline.js';
import { resource } from '../http/methods.js';
import type { StatusService } from '../services/status.js';

/** `GET /healthz`: the process lives; touches nothing. `GET /readyz`: each dependency by name. */
export function healthRoutes(router: Router, status: StatusService): void {
  resource(router, '/healthz', {
    get: [
      (_request, response) => {
        response.json({ ok: true });
      },
    ],
  });
  resource(router, '/readyz', {
    get: [
      answerInTime(async (request, response) => {
        const { dependencies } = await status.readiness();
        const away = Object.entries(dependencies).filter(([, { ok }]) => !ok);
        for (const [name, { reason }] of away) request.log.warn({ dependency: name, reason }, 'not ready');
        const shown = Object.fromEntries(
          Object.entries(dependencies).map(([name, { ok }]) => [name, { ok }]),
        );
        if (away.length > 0) {
          const names = away.map(([name]) => name).join(' and ');
          throw new ApiError(503, 'unavailable', `Not ready: ${names} does not answer.`, {
            headers: { 'Retry-After': '5' },
            body: { dependencies: shown },
          });
        }
        response.json({ ok: true, dependencies: shown });
      }),
    ],
  });
}

import type { Router } from 'express';
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
      answerInTime(async (_request, response) => {
        const { ready, dependencies } = await status.readiness();
        if (!ready) response.set('Retry-After', '5');
        response.status(ready ? 200 : 503).json({ ok: ready, dependencies });
      }),
    ],
  });
}

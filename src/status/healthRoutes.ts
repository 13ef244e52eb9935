import type { Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { answerInTime } from '../http/answerInTime.js';
import { resource } from '../http/resource.js';
import type { Dependency, StatusService } from './status.js';

/**
 * `GET /healthz`: the process lives; touches nothing. `GET /readyz`: each dependency by name, and whether a worker does
 * jobs.
 */
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
        const failing = Object.entries(dependencies).filter(([, { ok }]) => !ok);
        // What workers do is known from Postgres alone: without it, only that is worth a word.
        const away = dependencies.postgres.ok ? failing : failing.filter(([name]) => name !== 'worker');
        for (const [name, { reason }] of away) request.log.warn({ dependency: name, reason }, 'not ready');
        const shown = Object.fromEntries(
          Object.entries(dependencies).map(([name, { ok }]) => [name, { ok }]),
        );
        if (away.length > 0) {
          throw new ApiError(503, 'unavailable', `Not ready: ${sentence(away)}.`, {
            headers: { 'Retry-After': '5' },
            body: { dependencies: shown },
          });
        }
        response.json({ ok: true, dependencies: shown });
      }),
    ],
  });
}

/** `postgres and queue does not answer; no worker …`: those that are away together, then what else is wrong. */
function sentence(away: readonly (readonly [string, Dependency])[]): string {
  const silent = away.filter(([, { advice }]) => advice === undefined).map(([name]) => name);
  const parts = away.flatMap(([, { advice }]) => advice ?? []);
  return [...(silent.length > 0 ? [`${silent.join(' and ')} does not answer`] : []), ...parts].join('; ');
}

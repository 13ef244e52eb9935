import type { Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { readinessQuery } from '../contracts/statusRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { thinnedForStrangers } from '../http/refusals.js';
import { resource } from '../http/resource.js';
import { joinedRuns } from '../timing/joinedRuns.js';
import type { Dependency, StatusService } from './status.js';

/**
 * `GET /healthz`: the process lives; touches nothing. `GET /readyz`: each dependency by name; 503 when Postgres or the
 * queue does not answer this process. `GET /readyz?require=worker`: 503 also when no worker does jobs.
 *
 * Workers are no part of this process's readiness: an orchestrator that asks would take the dashboards out of service
 * for a fault that is elsewhere.
 *
 * @param isStopping whether this process takes nothing new soon: not ready, though it lives and answers.
 */
export function healthRoutes(
  router: Router,
  { status, isStopping = () => false }: { status: StatusService; isStopping?: () => boolean },
): void {
  const readiness = joinedRuns(() => status.readiness());
  const thinned = thinnedForStrangers();
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
        const { require } = parseRequest(readinessQuery, request.query, 'The query');
        if (isStopping()) {
          throw new ApiError(503, 'unavailable', 'Not ready: this process is stopping.', {
            headers: { 'Retry-After': '5' },
          });
        }
        const { dependencies } = await readiness();
        const failing = Object.entries(dependencies).filter(([, { ok }]) => !ok);
        // Only Postgres knows what workers do: while it is away there is nothing to say about them.
        const asksForWorker = require === 'worker' && dependencies.postgres.ok;
        const away = asksForWorker ? failing : failing.filter(([name]) => name !== 'worker');
        // Reasons that differ in seconds alone are the same.
        for (const [name, { reason = '' }] of away)
          thinned(`${name} ${reason.replaceAll(/\d+/g, '#')}`, (heldBack) =>
            request.log.warn(
              { dependency: name, reason, ...(heldBack > 0 ? { heldBack } : {}) },
              'not ready',
            ),
          );
        const shown = Object.fromEntries(
          Object.entries(dependencies).map(([name, { ok, advice }]) => [
            name,
            { ok, ...(advice === undefined ? {} : { advice }) },
          ]),
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

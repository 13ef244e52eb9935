import type { RequestHandler, Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { tenantQuery } from '../contracts/fields.js';
import { parseRequest } from '../contracts/parseRequest.js';
import {
  veeRulesRequest,
  veeRunParameters,
  veeRunRequest,
  veeSummaryQuery,
} from '../contracts/veeRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { jsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { VeeService } from './vee.js';

interface VeeRoutes {
  vee: VeeService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `GET` and `POST /vee/rules`, `POST /vee/runs`, `GET /vee/runs/:runId`, `GET /vee/summary`. */
export function veeRoutes(router: Router, { vee, requireKey, readable }: VeeRoutes): void {
  const rules = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await vee.rules(tenantId)) });
  });
  const setRules = answerInTime(async (request, response) => {
    const wanted = parseRequest(veeRulesRequest, request.body, 'The body');
    response.json({ ok: true, ...(await vee.setRules(wanted)) });
  }, 'repeating it is safe, since it sets what is given');
  // What a browser may read it must not be able to write.
  router.use('/vee/rules', (request, response, next) =>
    request.method === 'POST' ? next() : readable(request, response, next),
  );
  resource(router, '/vee/rules', { get: [rules], post: [requireKey, ...jsonBody(), setRules] });

  const startRun = answerInTime(async (request, response) => {
    const wanted = parseRequest(veeRunRequest, request.body, 'The body');
    response.status(202).json({ ok: true, ...(await vee.startRun(wanted, String(request.id))) });
  }, 'repeating it is safe, since a span that is validated twice has the findings of the last run');
  resource(router, '/vee/runs', { post: [requireKey, ...jsonBody(), startRun] });

  const run = answerInTime(async (request, response) => {
    const { runId } = parseRequest(veeRunParameters, request.params, 'The path');
    const found = await vee.find(runId);
    if (!found) throw new ApiError(404, 'not_found', `runId ${runId} is not known: no run has it.`);
    response.json({ ok: true, ...found });
  });
  router.use('/vee/runs/:runId', readable);
  resource(router, '/vee/runs/:runId', { get: [run] });

  const summary = answerInTime(async (request, response) => {
    const { tenantId, ...span } = parseRequest(veeSummaryQuery, request.query, 'The query');
    response.json({ ok: true, ...(await vee.summary(tenantId, span)) });
  });
  router.use('/vee/summary', readable);
  resource(router, '/vee/summary', { get: [summary] });
}

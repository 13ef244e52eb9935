import type { RequestHandler, Router } from 'express';
import { stringify } from 'yaml';
import { ApiError } from '../contracts/errors.js';
import { tenantQuery } from '../contracts/fields.js';
import { mappingParameters } from '../contracts/importRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { answerInTime } from '../http/answerInTime.js';
import { yamlOrJsonBody } from '../http/jsonBody.js';
import { resource } from '../http/resource.js';
import type { MappingService } from './mappings.js';
import { MappingTextError } from './mappingText.js';

interface MappingRoutes {
  mappings: MappingService;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `GET`, `PUT` and `DELETE /import-mappings/:name`, `GET /import-mappings`: what a sender's CSV files mean. */
export function mappingRoutes(router: Router, { mappings, requireKey, readable }: MappingRoutes): void {
  const find = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const { name } = parseRequest(mappingParameters, request.params, 'The path');
    const found = await mappings.find(tenantId, name);
    if (!found) throw unknown(tenantId, name);
    const { fields, ...saved } = found;
    response.json({ ok: true, tenantId, ...saved, mapping: fields });
  });
  const save = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const { name } = parseRequest(mappingParameters, request.params, 'The path');
    const text = typeof request.body === 'string' ? request.body : stringify(request.body);
    const { fields, ...saved } = await mappings.save(tenantId, name, text).catch((error: unknown) => {
      throw error instanceof MappingTextError ? new ApiError(400, 'invalid_request', error.message) : error;
    });
    response.json({ ok: true, tenantId, ...saved, mapping: fields });
  }, 'repeating it is safe, since the same text is saved');
  const remove = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    const { name } = parseRequest(mappingParameters, request.params, 'The path');
    if (!(await mappings.remove(tenantId, name))) throw unknown(tenantId, name);
    response.json({ ok: true, tenantId, name });
  }, 'repeating it is safe');
  const list = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, tenantId, mappings: await mappings.list(tenantId) });
  });
  router.use('/import-mappings', readable);
  resource(router, '/import-mappings/:name', {
    get: [find],
    put: [requireKey, ...yamlOrJsonBody(), save],
    delete: [requireKey, remove],
  });
  resource(router, '/import-mappings', { get: [list] });
}

function unknown(tenantId: string, name: string): ApiError {
  return new ApiError(404, 'not_found', `mapping ${name} is not saved for tenant ${tenantId}.`);
}

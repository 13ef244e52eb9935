import type { Request, RequestHandler, Response, Router } from 'express';
import { tenantQuery } from '../contracts/fields.js';
import { importParameters, refusalsQuery, uploadQuery } from '../contracts/importRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { NobodyWaitsError } from '../db/shares.js';
import { answerInTime } from '../http/answerInTime.js';
import { receiveFile, requireFileBody } from '../http/fileBody.js';
import { readersOf } from '../http/readers.js';
import { resource } from '../http/resource.js';
import { type ImportService, unknown } from './imports.js';
import type { UploadService } from './uploads.js';

/** A sender that is alive sends something more often. */
const STALLED_MS = 30_000;

interface ImportRoutes {
  imports: ImportService;
  uploads: UploadService;
  /** Bytes of a file that is taken. */
  mostBytes: number;
  requireKey: RequestHandler;
  readable: RequestHandler;
}

/** `GET /imports`, `POST /imports`, `GET /imports/:importId`, `GET /imports/:importId/refusals`, `POST /imports/:importId/cancel`. */
export function importRoutes(router: Router, routes: ImportRoutes): void {
  const { imports, requireKey, readable } = routes;
  const cancel = answerInTime(async (request, response) => {
    const { importId } = parseRequest(importParameters, request.params, 'The path');
    response.json({ ok: true, ...(await imports.cancel(importId)) });
  }, 'repeating it is safe, since an import ends once');
  resource(router, '/imports/:importId/cancel', { post: [requireKey, cancel] });

  const progress = answerInTime(async (request, response) => {
    const { importId } = parseRequest(importParameters, request.params, 'The path');
    const found = await imports.find(importId);
    if (!found) throw unknown(importId);
    response.json({ ok: true, ...found });
  });
  router.use('/imports/:importId', readable);
  resource(router, '/imports/:importId', { get: [progress] });

  const refusals = answerInTime(async (request, response) => {
    const { importId } = parseRequest(importParameters, request.params, 'The path');
    const page = parseRequest(refusalsQuery, request.query, 'The query');
    response.json({ ok: true, ...(await imports.refusals(importId, page)) });
  });
  resource(router, '/imports/:importId/refusals', { get: [refusals] });

  const list = answerInTime(async (request, response) => {
    const { tenantId } = parseRequest(tenantQuery, request.query, 'The query');
    response.json({ ok: true, ...(await imports.list(tenantId)) });
  });
  router.use('/imports', readable);
  const upload: RequestHandler = (request, response) => receiveUpload(routes, request, response);
  resource(router, '/imports', { get: [list], post: [requireKey, upload] });
}

/** Takes the body as a file. Everything that can be refused by the request's head is, before a byte is asked for. */
async function receiveUpload(
  { uploads, mostBytes }: ImportRoutes,
  request: Request,
  response: Response,
): Promise<void> {
  const query = parseRequest(uploadQuery, request.query, 'The query');
  const limits = { bytes: mostBytes, stalledMs: STALLED_MS };
  requireFileBody(request, limits);
  // Reading may take longer than a connection may else be silent.
  request.setTimeout(0);
  const gone = new AbortController();
  const leave = (): void => gone.abort(new NobodyWaitsError());
  response.once('close', leave);
  const taken = await uploads.take({
    ...{ query, gone: gone.signal, log: request.log, requestId: String(request.id) },
    bytes: Number(request.headers['content-length'] ?? 0),
    receive: (sink) => receiveFile(request, response, sink, limits),
  });
  response.off('close', leave);
  if (taken.dryRun) return void response.json({ ok: true, ...taken });
  readersOf(response)?.wrote();
  const [{ importId } = { importId: 0 }] = taken.imports;
  response
    .status(202)
    .location(`/api/ami/imports/${importId}`)
    .json({ ok: true, tenantId: taken.tenantId, importId, imports: taken.imports });
}

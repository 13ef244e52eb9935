import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response, Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { type ExportQuery, exportQuery } from '../contracts/exportRequest.js';
import { parseRequest } from '../contracts/parseRequest.js';
import { askAs } from '../db/shares.js';
import { readersOf } from '../http/readers.js';
import { resource } from '../http/resource.js';
import type { Piece } from '../intervalFiles/outgoing.js';
import { WRITTEN_FORMATS } from '../intervalFiles/writeFile.js';
import type { ExportService, OpenExport } from './service.js';

/** Exports that one process sends at once: each keeps it busy for as long as its caller reads. */
const AT_ONCE = 2;
/** A caller who takes nothing for so long keeps its place from others. */
const STALLED_MS = 60_000;

interface ExportRoutes {
  exports: ExportService;
  readable: RequestHandler;
  requireAnyKey: RequestHandler;
}

/** `GET /exports`: reads as one file, streamed. A key is needed, also where all else may be read without. */
export function exportRoutes(router: Router, { exports, readable, requireAnyKey }: ExportRoutes): void {
  let underWay = 0;
  const send = async (request: Request, response: Response): Promise<void> => {
    if (request.httpVersion === '1.0') throw unchunked();
    if (underWay >= AT_ONCE) throw busy();
    underWay += 1;
    const gone = new AbortController();
    response.once('close', () => gone.abort('the caller has gone'));
    try {
      const query = parseRequest(exportQuery, request.query, 'The query');
      const work = () => exports.open(query);
      // The first page has the time of any answer, and waits for its turn as any does.
      const opened = await (readersOf(response)?.alone(request, response, work) ?? work());
      describe(response, query, opened);
      if (request.method === 'HEAD') return void response.end();
      await askAs({ share: 'readers', gone: gone.signal }, () =>
        stream(request, response, opened, gone.signal),
      );
    } finally {
      underWay -= 1;
    }
  };
  router.use('/exports', readable, requireAnyKey);
  resource(router, '/exports', { get: [send] });
}

function describe(
  response: Response,
  { format, tenantId, from, to }: ExportQuery,
  { name }: OpenExport,
): void {
  response.set({
    'Content-Type': WRITTEN_FORMATS[format].mediaType,
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'no-store',
  });
  response.locals.exported = { tenantId, format, from, to };
}

/**
 * Sends the pieces as fast as they are taken. A caller who goes ends the reading; a failure ends the connection, since a
 * file that only stops would look whole.
 */
async function stream(
  request: Request,
  response: Response,
  opened: OpenExport,
  gone: AbortSignal,
): Promise<void> {
  response.set('Trailer', 'GridLens-Export');
  response.setTimeout(STALLED_MS, () => response.destroy());
  const pieces = async function* (): AsyncGenerator<Piece> {
    for await (const piece of opened.pieces) {
      // To end here would look like the end of the file.
      gone.throwIfAborted();
      if (piece.length > 0) yield piece;
    }
  };
  try {
    await pipeline(Readable.from(pieces(), { objectMode: true }), response, { end: false });
    const counts = opened.counts();
    response.addTrailers({ 'GridLens-Export': JSON.stringify(counts) });
    response.end();
    if (!response.closed) await once(response, 'close');
    // A caller may go while the last of the file is still in our buffers.
    if (!response.writableFinished) throw new Error('the connection closed before the end was sent');
    request.log.info({ ...response.locals.exported, ...counts }, 'exported');
  } catch (error) {
    response.destroy();
    if (gone.aborted) return void request.log.info(response.locals.exported, 'export: the caller has gone');
    request.log.warn({ err: error, ...response.locals.exported }, 'export ended before it was whole');
  }
}

/** Without chunks a file that was cut off ends as a whole one does. */
function unchunked(): ApiError {
  return new ApiError(
    400,
    'invalid_request',
    'An export is sent in chunks, which HTTP/1.0 does not have: ask with HTTP/1.1.',
  );
}

function busy(): ApiError {
  const message = `This process sends ${AT_ONCE} exports at once, and so many are under way; ask again when one has ended.`;
  return new ApiError(503, 'busy', message, { headers: { 'Retry-After': '10' } });
}

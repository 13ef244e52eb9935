/**
 * Room: board. Promises: the queues in a browser, at `/queues`, for whoever holds a key that may write; to look at unless
 * the deployment says otherwise. What it asks of the queues takes nothing from what the product asks of them.
 */

import type { Request, RequestHandler, Router } from 'express';
import { ApiError } from '../contracts/errors.js';
import { isRead } from '../http/readers.js';
import { pageWithBase } from '../http/securityHeaders.js';
import type { QueueView } from '../queues/queueView.js';

/** Where the board stands. */
export const BOARD_PATH = '/queues';

interface BoardParts {
  queueView: QueueView;
  /** Lets pass who holds a key that may write, and has a browser ask for one. */
  requireBrowserKey: RequestHandler;
  isWritable: boolean;
}

/** `/queues` and everything below it. What it is made of is loaded at the first request that may see it. */
export function boardRoutes(router: Router, { queueView, requireBrowserKey, isWritable }: BoardParts): void {
  let latest: { queues: unknown; board: RequestHandler } | undefined;
  const board: RequestHandler = async (request, response, next) => {
    const [{ createBoard }, queues] = await Promise.all([import('./board.js'), queueView.queues()]);
    // They are other ones after a pause, in which nobody looked.
    if (latest?.queues !== queues)
      latest = { queues, board: createBoard(queues, { path: BOARD_PATH, isWritable }) };
    await latest.board(request, response, next);
  };
  router.use(
    BOARD_PATH,
    requireBrowserKey,
    pageWithBase(),
    refuseOtherSites,
    refuseWrites(isWritable),
    board,
  );
}

/** Whoever reaches it by another method than GET and HEAD would change queues. */
function refuseWrites(isWritable: boolean): RequestHandler {
  return (request, _response, next) => {
    if (isWritable || isRead(request)) return next();
    throw new ApiError(
      403,
      'forbidden',
      `${BOARD_PATH} only shows the queues: it changes them where the API is started with QUEUES_WRITABLE=true.`,
    );
  };
}

/**
 * A browser that has the key sends it whatever page makes the request. So a change must come from the board's own page, by
 * what the browser says of it; a program says nothing.
 */
const refuseOtherSites: RequestHandler = (request, _response, next) => {
  if (isRead(request) || comesFromHere(request)) return next();
  throw new ApiError(403, 'forbidden', `A page of another site may change nothing in ${BOARD_PATH}.`);
};

function comesFromHere(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = request.get('origin');
  return origin === undefined || origin === `${request.protocol}://${request.host}`;
}

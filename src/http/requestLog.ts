import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { isRead } from './readers.js';
import { thinnedForStrangers } from './refusals.js';
import { requestId } from './requestId.js';

const LONGEST_PATH = 200;

/**
 * A line per request that is neither GET nor HEAD, since probes and polling dashboards would drown what matters. Of what
 * carries no right key, as a POST to a path that nobody has, it is a line per minute, status and address.
 */
export function requestLog(logger: Logger): RequestHandler {
  const levelOf = strangersThinned();
  const logged = pinoHttp({
    logger,
    genReqId: requestId,
    customLogLevel: (request, response) => levelOf(request as Request, response as Response),
    customSuccessObject: (_request, response, line) => ({ ...line, ...heldBackBefore.get(response) }),
    serializers: {
      req: (request: { id: unknown; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        url: loggedPath(request.url),
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
  return (request, response, next) => {
    if (!isRead(request)) return logged(request, response, next);
    request.id = requestId(request, response);
    // Made only for what is worth a line: of a poll that found nothing new it was a twentieth of the CPU.
    Object.defineProperty(request, 'log', { get: () => logged.logger.child({ req: request }) });
    response.on('error', (error) => request.log.warn({ err: error }, 'request errored'));
    next();
  };
}

/** Lines that were held back before that of an answer. */
const heldBackBefore = new WeakMap<object, { heldBack: number }>();

/** Anybody can cause thousands of answers; refused keys have warnings of their own, thinned as well. */
function strangersThinned(): (request: Request, response: Response) => 'info' | 'silent' {
  const thinned = thinnedForStrangers();
  return (request, response) => {
    if (keyRefusals.has(response)) return 'silent';
    if (response.locals.holdsKey === true) return 'info';
    let level: 'info' | 'silent' = 'silent';
    thinned(`${response.statusCode} ${ipKeyGenerator(request.ip ?? '')}`, (heldBack) => {
      level = 'info';
      if (heldBack > 0) heldBackBefore.set(response, { heldBack });
    });
    return level;
  };
}

/** Answers to requests whose key was refused (http/apiKey.ts). */
const keyRefusals = new WeakSet<object>();

/** Leaves the answer's own line out of the log. */
export function leaveOutOfLog(response: object): void {
  keyRefusals.add(response);
}

/**
 * A URL as it is logged: its path, without the query, where people put keys. Of the path's parts only what cannot be a key,
 * which has 16 characters or more: words such as `publish-once`, and the beginnings of ids.
 */
export function loggedPath(url: string): string {
  const path = /^[^?#]*/.exec(url)?.[0] ?? '';
  return path.split('/').map(shownPart).join('/').slice(0, LONGEST_PATH);
}

function shownPart(part: string): string {
  if (/^[a-z-]{0,15}$/.test(part)) return part;
  const id = /^([0-9a-f]{8})-[0-9a-f-]{27}$/i.exec(part)?.[1];
  return id === undefined ? '…' : `${id}…`;
}

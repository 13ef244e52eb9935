import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { requestId } from './requestId.js';

const LONGEST_PATH = 200;

/** A line per request that is neither GET nor HEAD, since probes and polling dashboards would drown what matters. */
export function requestLog(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId: requestId,
    autoLogging: { ignore: (request) => request.method === 'GET' || request.method === 'HEAD' },
    // Anybody can cause thousands of them; they have warnings of their own, thinned.
    customLogLevel: (_request, response) => (keyRefusals.has(response) ? 'silent' : 'info'),
    serializers: {
      req: (request: { id: unknown; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        url: loggedPath(request.url),
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
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

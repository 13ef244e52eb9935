import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A caller's own request ID is kept where it is harmless in a header and a log line. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** The request's ID: the caller's `X-Request-Id`, or a new one; every answer carries it back. */
export function requestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  return id;
}

import type { IncomingMessage } from 'node:http';

/** Requests whose body may take longer than any other request. */
const slow = new WeakSet<IncomingMessage>();

/**
 * Lets the body of this request take longer than the server's limit for a request: of a key holder's file. Whoever reads it
 * then has to see that it does not stall. The next request of the connection is held to the limit again.
 */
export function arriveSlowly(request: IncomingMessage): void {
  slow.add(request);
}

/** Of a request that has come whole the connection may have the next one, which is as any other. */
export function isArrivingSlowly(request: IncomingMessage | undefined): boolean {
  return request !== undefined && !request.complete && slow.has(request);
}

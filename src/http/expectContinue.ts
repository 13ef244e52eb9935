import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Requests whose client waits for a word before it sends the body (`Expect: 100-continue`). */
const waiting = new WeakSet<IncomingMessage>();

/** Has the server leave that word to whoever reads the body: after the key, and not for a body that is too large. */
export function letBodiesWait(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    server.emit('request', request, response);
  });
  // Node would answer other expectations with 417 and no body; they may be ignored.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/** Asks for the body, where the client waits to be asked. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}

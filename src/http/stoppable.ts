import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Longer than any answer takes, short enough for the local stack's 3.5 s. */
const LAST_ANSWERS_MS = 2_500;

export interface Stoppable {
  /** From the moment on at which the server was told to stop. */
  isStopping(): boolean;
  /**
   * Stops in four steps. Readiness goes off, and each answer tells its caller to close the connection, so that the next
   * request goes elsewhere. During the grace everything is answered as before: a balancer has to see it first. Then no
   * connection is accepted, and the answers under way are finished. Whatever is left after 2.5 s is cut off.
   */
  stop(graceMs: number): Promise<void>;
}

/** What lets a server stop without a reset for anybody whose request it has begun. */
export function stoppable(server: Server, log: Logger): Stoppable {
  let isStopping = false;
  const underWay = new Set<ServerResponse>();
  server.on('request', (_request, response: ServerResponse) => {
    underWay.add(response);
    if (isStopping) tellToClose(response);
    response.once('close', () => underWay.delete(response));
  });
  return {
    isStopping: () => isStopping,
    async stop(graceMs) {
      isStopping = true;
      for (const response of underWay) tellToClose(response);
      log.info({ graceMs }, 'stopping: not ready any more');
      await sleep(graceMs);
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const cutOff = setTimeout(() => {
        log.warn({ answers: underWay.size }, 'stopping: what was left is cut off');
        server.closeAllConnections();
      }, LAST_ANSWERS_MS);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

function tellToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

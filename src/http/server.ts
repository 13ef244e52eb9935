import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { ApiError } from '../contracts/errors.js';
import { letBodiesWait } from './expectContinue.js';
import { requestLineOf } from './oneAtATime.js';
import { thinnedForStrangers } from './refusals.js';
import { isArrivingSlowly } from './slowArrivals.js';
import { noTunnel, type ParserError, rawAnswer, unreadable } from './unreadable.js';

export interface ServerTimes {
  /** How long an idle connection stays open, ms. */
  keepAliveTimeout: number;
  /** How long a request may take to arrive, header and body, ms. */
  requestTimeout?: number;
  /** How often that is looked at, ms. */
  connectionsCheckingInterval?: number;
  /** How long nothing may be read or written while a request is under way, ms. */
  stallTimeout?: number;
}

/** The largest body at 100 kB per second takes 27 s; Node would wait for five minutes. */
const REQUEST_MS = 30_000;
const CHECK_MS = 5_000;
/**
 * A client that asks and never reads its answers ends here: Node's two limits are for requests, and it would keep the
 * connection for ever. Longer than any answer takes, 38 s with the largest ANSWER_BUDGET_FACTOR.
 */
const STALL_MS = 60_000;

/**
 * How long a client that has its answer may go on sending. Closed at once, the operating system answers what still comes
 * with a reset, on which the client throws its answer away.
 */
const LINGER_MS = 1_000;

/**
 * An HTTP server whose every answer is one of ours: what Node's parser refuses gets the envelope and a request id too, and
 * a warning with the client's address, thinned. Its caller puts the app on it.
 */
export function createHttpServer(log: Logger, times: ServerTimes): Server {
  const server = createServer({
    requestTimeout: REQUEST_MS,
    headersTimeout: times.requestTimeout ?? REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    // Node would answer without an envelope; refuseOddRequests (http/unreadable.ts) says it instead.
    requireHostHeader: false,
    ...times,
  });
  server.timeout = times.stallTimeout ?? STALL_MS;
  letBodiesWait(server);
  const latest = new WeakMap<Socket, Exchange>();
  server.on('request', (request, response) => {
    latest.set(request.socket, { request, response });
    response.once('finish', () => {
      if (!request.complete) endLater(request.socket, () => !request.complete);
    });
  });

  const refused = new WeakSet<Socket>();
  const thinned = thinnedForStrangers();
  const refuse = (socket: Socket, error: ApiError, reason: string): void => {
    refused.add(socket);
    // Node takes its listener off a socket that asks for a tunnel: answering one that its client has ended or reset would
    // be an error that nobody hears, which ends the process.
    socket.on('error', () => socket.destroy());
    const address = socket.remoteAddress ?? 'unknown';
    thinned(`${reason} ${address}`, (heldBack) =>
      log.warn(
        { address, status: error.status, reason, ...(heldBack > 0 ? { heldBack } : {}) },
        'a request could not be read',
      ),
    );
    if (!mayAnswer(latest.get(socket))) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(error));
    endLater(socket);
  };
  server.on('clientError', (error: ParserError, socket: Socket) => {
    // What comes after a refused request is not looked at.
    if (refused.has(socket)) return;
    // Node tells of a request once, and goes on reading it.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isArrivingSlowly(latest.get(socket)?.request)) return;
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuse(socket, unreadable(error, requestLineOf(socket)), error.code ?? error.name);
  });
  server.on('connect', (_request, socket: Socket) => refuse(socket, noTunnel(), 'CONNECT'));
  return server;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** Whether what is written to a connection now is taken for the answer to the request that could not be read. */
function mayAnswer(latest: Exchange | undefined): boolean {
  if (latest === undefined) return true;
  const { request, response } = latest;
  return request.complete ? response.writableFinished : !response.headersSent;
}

/** @param isWanted whether it is still to be ended then: the rest of a body may have come, and the next request. */
function endLater(socket: Socket, isWanted = () => true): void {
  const timer = setTimeout(() => {
    if (isWanted()) socket.destroy();
  }, LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

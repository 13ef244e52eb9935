import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * So much is parsed at a time, bytes. Node parses all that a socket has read, up to 64 kB, and makes objects of some
 * kilobytes for each of the thousand requests that may be in it, before anything can say stop.
 */
const SLICE = 1_024;

/** Until when a connection is not read from, by performance.now(). */
const heldUntil = new WeakMap<Socket, number>();

/** Reads the next request of this connection no sooner than in `ms`, once the one under way has been answered. */
export function holdConnection(socket: Socket, ms: number): void {
  heldUntil.set(socket, performance.now() + ms);
}

/**
 * Characters of the first line of a request that could not be read, infinite where the line has not ended; undefined where
 * nobody has counted. Of a request in slices the parser shows no more than the last one.
 */
export function requestLineOf(socket: Socket): number | undefined {
  return heads.get(socket)?.lineLength;
}

/** What has come of the request that is being parsed. */
interface Head {
  counted: number;
  lineLength: number;
}
const heads = new WeakMap<Socket, Head>();

function countHead(socket: Socket, slice: Buffer): void {
  const head = heads.get(socket) ?? { counted: 0, lineLength: Number.POSITIVE_INFINITY };
  heads.set(socket, head);
  if (head.lineLength !== Number.POSITIVE_INFINITY) return;
  const lineEnd = slice.indexOf('\n');
  if (lineEnd >= 0) head.lineLength = head.counted + lineEnd;
  head.counted += slice.length;
}

/** The requests of one connection. */
interface Line {
  /** Parsed, and not handled yet: what was pipelined within a slice. */
  waiting: [IncomingMessage, ServerResponse][];
  isAnswering: boolean;
  /** The last one that was parsed; its body may still be coming. */
  latest?: IncomingMessage;
}

/**
 * Hands a server's requests to `handle`, one per connection at a time. Node itself hands over each request that it has
 * parsed, and holds back only the answers: 5,000 pipelined reads are 5,000 at once. Here the next one is parsed when the
 * one before has been answered. Until then its bytes stay in the socket, where TCP holds the sender back.
 *
 * Pipelined requests are answered in their order, none is refused for being one; when the connection is gone, those that
 * wait are forgotten.
 */
export function handleOneAtATime(server: Server, handle: RequestListener): void {
  const lines = new WeakMap<Socket, Line>();

  server.on('connection', (socket: Socket) => {
    const line: Line = { waiting: [], isAnswering: false };
    lines.set(socket, line);
    parseInSlices(socket, () => !line.isAnswering || line.latest?.complete === false);
  });

  server.on('request', (request, response) => {
    heads.delete(request.socket);
    const line = lines.get(request.socket) as Line;
    line.latest = request;
    if (line.isAnswering) line.waiting.push([request, response]);
    else answer(line, request, response);
  });

  const answer = (line: Line, request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    line.isAnswering = true;
    response.once('close', () => {
      const held = (heldUntil.get(socket) ?? 0) - performance.now();
      if (held > 0) setTimeout(() => goOn(line, socket), held).unref();
      else goOn(line, socket);
    });
    handle(request, response);
  };

  const goOn = (line: Line, socket: Socket): void => {
    const next = line.waiting.shift();
    if (socket.destroyed || socket.writableEnded) line.waiting = [];
    else if (next !== undefined) answer(line, ...next);
    else {
      line.isAnswering = false;
      socket.resume();
    }
  };
}

/**
 * Stands between a socket and the parser that the server has put on it. What may not be parsed yet goes back into the
 * socket, which then reads no more than its buffer holds.
 */
function parseInSlices(socket: Socket, mayParse: () => boolean): void {
  const parse = socket.listeners('data')[0] as (chunk: Buffer) => void;
  socket.removeListener('data', parse);
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += SLICE) {
      // The parser has refused what came before: the rest is no request's.
      if (socket.destroyed || socket.writableEnded) return;
      if (!mayParse() || socket.isPaused()) {
        socket.pause();
        socket.unshift(chunk.subarray(at));
        return;
      }
      const slice = chunk.subarray(at, at + SLICE);
      countHead(socket, slice);
      parse(slice);
    }
  });
}

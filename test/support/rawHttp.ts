import { connect, type Socket } from 'node:net';

/** An answer as it came over a socket, without its body. */
export interface RawAnswer {
  status: number;
  /** The head, as sent. */
  head: string;
}

/**
 * A keep-alive connection that is written to as it likes, and calls back for each answer. It parses next to nothing, so
 * that hundreds of them cost less than the server that they ask.
 */
export interface RawConnection {
  socket: Socket;
  /** Answers so far, by status. */
  counts: Record<number, number>;
  /** Ends when the connection has; the error if there was one. */
  ended: Promise<NodeJS.ErrnoException | undefined>;
}

/** @param localAddress one of 127.0.0.0/8: the address that the server sees. */
export async function openRaw(
  url: string,
  onAnswer: (answer: RawAnswer) => void = () => undefined,
  localAddress = '127.0.0.1',
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress, noDelay: true });
  const counts: Record<number, number> = {};
  let error: NodeJS.ErrnoException | undefined;
  socket.on('error', (reason) => {
    error = reason;
  });
  const ended = new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.on('close', () => resolve(error));
  });
  socket.on(
    'data',
    answerParser((answer) => {
      counts[answer.status] = (counts[answer.status] ?? 0) + 1;
      onAnswer(answer);
    }),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return { socket, counts, ended };
}

/** A GET of `path` as a client would send it. */
export function getRequest(path: string, headers: Record<string, string> = {}): string {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more.join('')}\r\n`;
}

const NOTHING = Buffer.alloc(0);
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Finds the answers in what a socket reads; every one of this product has a Content-Length or no body. */
function answerParser(found: (answer: RawAnswer) => void): (chunk: Buffer) => void {
  let rest: Buffer = NOTHING;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const headEnd = rest.indexOf(END_OF_HEAD);
      if (headEnd < 0) return;
      const head = rest.toString('latin1', 0, headEnd);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const end = headEnd + END_OF_HEAD.length + length;
      if (rest.length < end) return;
      rest = rest.subarray(end);
      found({ status: Number(head.slice(9, 12)), head });
    }
  };
}

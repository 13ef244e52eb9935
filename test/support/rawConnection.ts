import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One answer as it came over a connection. */
export interface RawAnswer {
  /** 0 where the connection ended without one. */
  status: number;
  /** By their names in lower case. */
  headers: Record<string, string>;
  /** Its JSON, `undefined` where it is none. */
  body: Record<string, unknown> | undefined;
  /** Everything that came, for what is more than one answer. */
  text: string;
}

/** Ends a test that would never end. */
const NO_ANSWER_MS = 20_000;

/**
 * Sends bytes as they are, and answers with what has come back when the server closes the connection or a whole answer is
 * there.
 *
 * @param url of the server.
 * @param parts are sent one after the other; a number is a pause in ms.
 */
export async function sendRaw(url: string, parts: readonly (string | Buffer | number)[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  // A reset after the answer is as good as an end.
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (isWhole(text)) resolve();
    });
  });
  await once(socket, 'connect');
  for (const part of parts) {
    if (typeof part === 'number') await Promise.race([sleep(part), ended]);
    else socket.write(part);
  }
  // A server that goes on waiting gives no answer.
  await Promise.race([ended, sleep(NO_ANSWER_MS, undefined, { ref: false })]);
  socket.destroy();
  return answerOf(text);
}

function isWhole(text: string): boolean {
  const { status, headers, rest } = split(text);
  return status >= 200 && rest !== undefined && Buffer.byteLength(rest) >= Number(headers['content-length']);
}

function answerOf(text: string): RawAnswer {
  const { status, headers, rest = '' } = split(text);
  const body = rest.startsWith('{')
    ? JSON.parse(rest.slice(0, Number(headers['content-length'])))
    : undefined;
  return { status, headers, body, text };
}

/** Leaves out what comes before the final answer, `100 Continue`. */
function split(text: string): { status: number; headers: Record<string, string>; rest?: string } {
  const [head = '', ...more] = text.split('\r\n\r\n');
  const [line = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1] ?? 0);
  if (status === 100 && more.length > 0) return split(more.join('\r\n\r\n'));
  const headers = Object.fromEntries(
    lines.map((one) => [one.split(': ')[0]?.toLowerCase(), one.slice(one.indexOf(': ') + 2)]),
  );
  return more.length === 0 ? { status, headers } : { status, headers, rest: more.join('\r\n\r\n') };
}

import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** What a relay does with the answers of one connection, told at each piece of an answer. */
export interface Trouble {
  /** Holds answers back once for so long, ms, when `stage` answers have passed. */
  delayMs?: number;
  /** Cuts the connection instead of passing the answer. */
  cut?: boolean;
  /** Swallows this answer and all after it, on a connection that stays open. */
  halfOpen?: boolean;
  /** Passes the answers from here on a few bytes at a time, with so many ms between. */
  trickleMs?: number;
  /** Bytes at a time when it trickles; 64 when left out. */
  trickleBytes?: number;
}

export interface Relay {
  url: string;
  port: number;
  /**
   * Trouble for each connection made from now on, in order: what the function answers for the n-th one (from 0) befalls
   * it at its `stage`-th answer (from 0). Undefined lets it through.
   */
  trouble(plan: (connection: number) => { stage: number; trouble: Trouble } | undefined): void;
  /** Connections made so far. */
  connections(): number;
  /** Answers (pieces of one) that each connection has got, by number. */
  close(): Promise<void>;
}

/** A TCP relay in front of a server, which can delay, cut, swallow and trickle the server's answers. */
export async function startRelay(targetPort: number): Promise<Relay> {
  let plan: Parameters<Relay['trouble']>[0] = () => undefined;
  let made = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const planned = plan(made);
    made += 1;
    const upstream = tcpConnect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Either end may be cut; the other is cut with it below.
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
    }
    client.pipe(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    let answers = 0;
    let passing = Promise.resolve();
    upstream.on('data', (data) => {
      const answer = answers;
      answers += 1;
      passing = passing.then(() => pass(client, data, answer, planned));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    trouble(next) {
      made = 0;
      plan = next;
    },
    connections: () => made,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function pass(
  client: Socket,
  data: Buffer,
  answer: number,
  planned: { stage: number; trouble: Trouble } | undefined,
): Promise<void> {
  if (planned === undefined || answer < planned.stage) {
    client.write(data);
    return;
  }
  const { delayMs, cut, halfOpen, trickleMs, trickleBytes = 64 } = planned.trouble;
  if (halfOpen) return;
  if (answer === planned.stage && cut) {
    client.destroy();
    return;
  }
  if (answer === planned.stage && delayMs !== undefined) await pause(delayMs);
  if (trickleMs === undefined) {
    client.write(data);
    return;
  }
  for (let from = 0; from < data.length && !client.destroyed; from += trickleBytes) {
    client.write(data.subarray(from, from + trickleBytes));
    await pause(trickleMs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

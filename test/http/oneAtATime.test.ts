import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { handleOneAtATime } from '../../src/http/oneAtATime.js';
import { getRequest, openRaw } from '../support/rawHttp.js';
import { waitFor } from '../support/waitFor.js';

describe('requests of one connection', () => {
  let server: Server;
  afterEach(() => server.close());

  /** A server whose answers wait until they are let go. */
  async function serve() {
    const seen = { parsed: 0, handled: [] as string[], waiting: [] as ServerResponse[], most: 0 };
    server = createServer();
    handleOneAtATime(server, (request, response) => {
      seen.handled.push(request.url ?? '');
      seen.waiting.push(response);
      seen.most = Math.max(seen.most, seen.waiting.length);
    });
    server.on('request', () => {
      seen.parsed += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { seen, url: `http://127.0.0.1:${port}` };
  }
  const pipelined = (count: number): string =>
    Array.from({ length: count }, (_, number) => getRequest(`/${number}`)).join('');

  it('H1: are handled one at a time and in their order, and none is parsed long before its turn', async () => {
    const { seen, url } = await serve();
    const answered: number[] = [];
    const { socket } = await openRaw(url, ({ head }) =>
      answered.push(Number(/x-at: (\d+)/i.exec(head)?.[1])),
    );
    socket.write(pipelined(2_000));
    let ahead = 0;
    while (answered.length < 2_000) {
      const response = seen.waiting.shift();
      ahead = Math.max(ahead, seen.parsed - seen.handled.length);
      response?.setHeader('X-At', seen.handled.length - 1).end('{}');
      await nextTurn();
    }
    expect(answered).toEqual(Array.from({ length: 2_000 }, (_, number) => number));
    expect(seen.handled).toHaveLength(2_000);
    expect(seen.most).toBe(1);
    // Those of one slice of 1,024 bytes.
    expect(ahead).toBeLessThan(50);
    socket.destroy();
  });

  it('H1: that wait are forgotten when the connection is gone', async () => {
    const { seen, url } = await serve();
    const { socket, ended } = await openRaw(url);
    socket.write(pipelined(500));
    await waitFor('the first request', async () => seen.waiting.length === 1);
    const closed = new Promise((resolve) => seen.waiting[0]?.once('close', resolve));
    socket.resetAndDestroy();
    await ended;
    await closed;
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(seen.handled).toHaveLength(1);
  });

  it('H1: may have bodies, which are read whole, with others behind them', async () => {
    server = createServer();
    const bodies: number[] = [];
    handleOneAtATime(server, (request, response) => {
      let length = 0;
      request.on('data', (chunk) => {
        length += chunk.length;
      });
      request.on('end', () => {
        bodies.push(length);
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { socket, counts } = await openRaw(`http://127.0.0.1:${port}`);
    const post = (length: number): string =>
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
    socket.write(post(300_000) + getRequest('/') + post(5) + post(100_000) + getRequest('/'));
    await waitFor('five answers', async () => counts[200] === 5);
    expect(bodies).toEqual([300_000, 0, 5, 100_000, 0]);
    socket.destroy();
  });
});

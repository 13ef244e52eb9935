import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/server.js';
import type { Test } from '../local/fixtures/processes.js';
import { sendRaw } from '../support/rawConnection.js';
import { waitFor } from '../support/waitFor.js';

/** A server of ours over two routes: one that refuses without reading the body, one that waits for it. */
async function serve(test: Test, requestTimeout: number, stallTimeout = 60_000) {
  const app = express();
  app.get('/large', (_request, response) => void response.send('x'.repeat(30_000_000)));
  app.post('/refused', (_request, response) => void response.status(401).json({ ok: false }));
  app.post('/awaited', (request, response) => {
    request.on('end', () => response.json({ ok: true })).resume();
  });
  const logLines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => logLines.push(JSON.parse(line)) });
  const times = { keepAliveTimeout: 75_000, requestTimeout, connectionsCheckingInterval: 50, stallTimeout };
  const server = createHttpServer(log, times).on('request', app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const connections = () =>
    new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, logLines, connections };
}

describe('a server whose clients are slow', () => {
  it.for([
    ['its header', 'GET / HTTP/1.1\r\nHost: localhost\r\n'],
    ['its body', 'POST /awaited HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{'],
  ] as const)(
    'H9: a request that never ends %s gets 408, the envelope and a request id',
    async ([, begin], test) => {
      const { url, logLines } = await serve(test, 300);
      const { status, headers, body } = await sendRaw(url, [begin]);
      expect([status, body?.code]).toEqual([408, 'request_timeout']);
      expect(body?.requestId).toBe(headers['x-request-id']);
      expect(logLines).toMatchObject([{ level: 40, status: 408, address: '127.0.0.1' }]);
    },
  );

  it('H9: whoever asks for a tunnel and hangs up does not end the process', async (test) => {
    const { url, connections } = await serve(test, 60_000);
    const port = Number(new URL(url).port);
    for (let number = 0; number < 20; number += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.write('CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n');
      if (number % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await waitFor('the connections to be over', async () => (await connections()) === 0);
    const { status } = await sendRaw(url, ['CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n']);
    expect(status).toBe(405);
  });

  it('whoever asks and never reads the answer loses the connection', async (test) => {
    const { url, connections } = await serve(test, 60_000, 300);
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    test.onTestFinished(() => void socket.destroy());
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await waitFor('the connection', async () => (await connections()) === 1);
    await waitFor('its end', async () => (await connections()) === 0);
  });

  it('whoever reads slowly gets the whole answer', async (test) => {
    const { url } = await serve(test, 60_000, 3_000);
    const answer = await fetch(`${url}/large`);
    let bytes = 0;
    let pauses = 0;
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (pauses < 40 && bytes > pauses * 700_000) {
        pauses += 1;
        await sleep(100);
      }
    }
    expect([bytes, pauses]).toEqual([30_000_000, 40]);
  });

  it('H9: whoever sends the rest of a refused body keeps the connection', async (test) => {
    const { url } = await serve(test, 60_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    test.onTestFinished(() => agent.destroy());
    const post = (body: string) =>
      new Promise<{ status: number | undefined; reused: boolean }>((resolve, reject) => {
        const sent = httpRequest(`${url}/refused`, { method: 'POST', agent }, (answer) => {
          answer.resume().on('end', () => resolve({ status: answer.statusCode, reused: sent.reusedSocket }));
        });
        sent.on('error', reject).end(body);
      });
    // More than the connection holds back, and sent within a moment.
    expect((await post('x'.repeat(100_000))).status).toBe(401);
    // Longer than a client that has its answer may go on sending.
    await sleep(1_300);
    expect(await post('x')).toEqual({ status: 401, reused: true });
  });
});

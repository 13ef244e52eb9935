import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type ErrorRequestHandler } from 'express';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { errorEnvelope } from '../../src/http/errors.js';
import { receiveFile, requireFileBody } from '../../src/http/fileBody.js';
import { handleOneAtATime } from '../../src/http/oneAtATime.js';
import { createHttpServer } from '../../src/http/server.js';
import { asNoRoom } from '../../src/imports/uploadFolder.js';
import type { Test } from '../local/fixtures/processes.js';
import { sendRaw } from '../support/rawConnection.js';
import { waitFor } from '../support/waitFor.js';

const LIMITS = { bytes: 2 ** 20, stalledMs: 1_000 };
const HEAD = 'POST /file HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n';

/** A server that gives up other requests after 300 ms, with one route that takes a file. */
async function serve(test: Test, fails?: NodeJS.ErrnoException) {
  const ended: string[] = [];
  let taken = 0;
  const app = express();
  app.use((request, _response, next) => {
    Object.assign(request, { log: pino({ level: 'silent' }), id: 'x' });
    next();
  });
  app.post('/file', async (request, response) => {
    requireFileBody(request, LIMITS);
    const sink = new Writable({
      write(piece, _encoding, done) {
        taken += piece.length;
        done(fails);
      },
    });
    try {
      response.json({ ok: true, bytes: await receiveFile(request, response, sink, LIMITS) });
      ended.push('taken');
    } catch (error) {
      ended.push((error as Error).name);
      throw asNoRoom(error);
    }
  });
  app.use(errorEnvelope as ErrorRequestHandler);
  const times = { keepAliveTimeout: 75_000, requestTimeout: 300, connectionsCheckingInterval: 50 };
  const server = createHttpServer(pino({ level: 'silent' }), times).listen(0, '127.0.0.1');
  handleOneAtATime(server, app);
  await once(server, 'listening');
  test.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ended, taken: () => taken };
}

describe('a body that is a file', () => {
  it('may take longer than any other request', async (test) => {
    const { url } = await serve(test);
    const slow = Array.from({ length: 6 }, () => ['x'.repeat(1_000), 200]).flat();
    const { status, body } = await sendRaw(url, [`${HEAD}Content-Length: 6000\r\n\r\n`, ...slow]);
    expect([status, body]).toEqual([200, { ok: true, bytes: 6_000 }]);
  });

  it('ends when nothing of it comes any more', async (test) => {
    const { url, taken } = await serve(test);
    const { status, body } = await sendRaw(url, [`${HEAD}Content-Length: 6000\r\n\r\n`, 'x'.repeat(100)]);
    expect([status, body?.code]).toEqual([408, 'request_timeout']);
    expect(body?.error).toMatch(/nothing of it arrived for 1 s/);
    expect(taken()).toBe(100);
  });

  it('does not let the next request of its connection be slow', async (test) => {
    const { url } = await serve(test);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    test.onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.write(`${HEAD}Content-Length: 3\r\n\r\nabc`);
    await waitFor('the first answer', async () => text.includes('"bytes":3'));
    socket.write('POST /file HTTP/1.1\r\n');
    await waitFor('the second answer', async () => /408 Request Timeout/.test(text));
  });

  it('is refused by its length before it is asked for', async (test) => {
    const { url, taken } = await serve(test);
    const { status, text } = await sendRaw(url, [
      `${HEAD}Expect: 100-continue\r\nContent-Length: ${2 ** 20 + 1}\r\n\r\n`,
    ]);
    expect([status, taken()]).toEqual([413, 0]);
    expect(text).not.toContain('100 Continue');
  });

  it('is asked for where its sender waits for that', async (test) => {
    const { url } = await serve(test);
    const { text } = await sendRaw(url, [
      `${HEAD}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`,
      100,
      'abc',
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it('is refused as soon as too much of it has come', async (test) => {
    const { url } = await serve(test);
    const piece = 'x'.repeat(2 ** 19);
    const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`;
    const { status, body } = await sendRaw(url, [
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      chunk,
      chunk,
      chunk,
    ]);
    expect([status, body?.code]).toEqual([413, 'body_too_large']);
  });

  it('is refused without room for it', async (test) => {
    const { url } = await serve(test, Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    const { status, body } = await sendRaw(url, [`${HEAD}Content-Length: 6000\r\n\r\n`, 'x'.repeat(100)]);
    expect([status, body?.code]).toEqual([507, 'no_room']);
  });

  it.for(['end', 'reset'])('is forgotten when its sender goes (%s)', async (how, test) => {
    const { url, ended } = await serve(test);
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(`${HEAD}Content-Length: 6000\r\n\r\nabc`);
    await sleep(50);
    if (how === 'end') socket.end();
    else socket.resetAndDestroy();
    await waitFor('its end', async () => ended.length > 0);
    expect(ended).toEqual(['NobodyWaitsError']);
  });
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { errorEnvelope } from '../../src/http/errors.js';
import { requestLog } from '../../src/http/requestLog.js';

describe('the log of requests', () => {
  it('has no line for a read that is answered, and names the one that fails', async (test) => {
    const lines: Record<string, unknown>[] = [];
    const app = express();
    app.use(requestLog(pino({}, { write: (line: string) => lines.push(JSON.parse(line)) })));
    app.get('/right', (_request, response) => void response.end());
    app.get('/wrong', () => {
      throw new Error('of the test');
    });
    app.use(errorEnvelope);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    test.onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const right = await fetch(`${url}/right`);
    expect(right.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines).toEqual([]);
    const wrong = await fetch(`${url}/wrong?key=secret`, { headers: { 'X-Request-Id': 'of-mine' } });
    expect(wrong.status).toBe(500);
    expect(wrong.headers.get('X-Request-Id')).toBe('of-mine');
    expect(lines).toMatchObject([
      { level: 50, req: { id: 'of-mine', method: 'GET', url: '/wrong' }, err: { message: 'of the test' } },
    ]);
  });
});

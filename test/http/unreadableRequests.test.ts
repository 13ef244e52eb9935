import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY, BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess } from '../support/processes.js';
import { type RawAnswer, sendRaw } from '../support/rawConnection.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const HOST = 'Host: localhost';
const AS_WRITER = [`Authorization: Bearer ${API_KEY}`, 'Content-Type: application/json'];
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
const head = (line: string, ...headers: string[]) => [line, ...headers, '', ''].join('\r\n');
const ONCE = 'POST /api/ami/publish-once HTTP/1.1';

describe('requests that nobody should send', () => {
  let database: TestDatabase;
  let api: ProductProcess & { url: string };
  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApiProcess({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api?.kill('SIGKILL');
    await database.drop();
  });

  const expectEnvelope = ({ status, headers, body }: RawAnswer, wanted: [number, string]) => {
    expect([status, body?.code]).toEqual(wanted);
    expect(body).toMatchObject({ ok: false, error: expect.stringMatching(/^[A-Z].*\.$/) });
    expect(body?.requestId).toBe(headers['x-request-id']);
    expect(headers['x-request-id']).toMatch(/^[\w-]{8,}$/);
    expect(headers['content-type']).toContain('application/json');
  };

  it.each<[string, string[], [number, string]]>([
    ['no HTTP', ['GET\r\n\r\n'], [400, 'invalid_request']],
    ['bytes of TLS', ['\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'], [400, 'invalid_request']],
    ['a method that nobody knows', [head('FETCH / HTTP/1.1', HOST)], [400, 'invalid_request']],
    [
      'a header with a control character',
      [head('GET /healthz HTTP/1.1', HOST, 'X: a\x00b')],
      [400, 'invalid_request'],
    ],
    [
      'a length and chunks at once',
      [head(ONCE, HOST, 'Content-Length: 2', 'Transfer-Encoding: chunked')],
      [400, 'invalid_request'],
    ],
    ['no Host', [head('GET /healthz HTTP/1.1')], [400, 'invalid_request']],
    [
      'headers of 20 kB',
      [head('GET /healthz HTTP/1.1', HOST, `X: ${'x'.repeat(20_000)}`)],
      [431, 'headers_too_large'],
    ],
    [
      'a URI of 9 kB',
      [head(`GET /api/ami/status?tenantId=${'x'.repeat(9_000)} HTTP/1.1`, HOST)],
      [414, 'uri_too_long'],
    ],
    ['a URI of 20 kB', [head(`GET /${'x'.repeat(20_000)} HTTP/1.1`, HOST)], [414, 'uri_too_long']],
    ['CONNECT', [head('CONNECT example.com:443 HTTP/1.1', HOST)], [405, 'method_not_allowed']],
    [
      'chunks that are none',
      [head(ONCE, HOST, ...AS_WRITER, 'Transfer-Encoding: chunked'), 'zz\r\n'],
      [400, 'invalid_request'],
    ],
  ])('H9: %s is answered with the envelope and a request id', async (_name, parts, wanted) => {
    expectEnvelope(await sendRaw(api.url, parts), wanted);
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  });

  it('H9: what follows a request is not answered in its place', async () => {
    const status = `GET /api/ami/status?tenantId=T HTTP/1.1`;
    const { text } = await sendRaw(api.url, [`${head(status, HOST)}nonsense\r\n\r\n`]);
    // The answer to the first, or none: Node by itself writes its 400 where that answer is awaited.
    expect(text).not.toMatch(/^HTTP\/1\.1 400/);
  });

  it('H9: a body over the limit is refused at its header, before any of it is sent', async () => {
    const answer = await sendRaw(api.url, [head(ONCE, HOST, ...AS_WRITER, 'Content-Length: 5000000000')]);
    expectEnvelope(answer, [413, 'body_too_large']);
    expect(answer.body?.error).toContain('100 kB');
  });

  it('H9: who waits to be asked for a body is asked only for one that is taken', async () => {
    const expecting = (length: number, ...headers: string[]) =>
      head(ONCE, HOST, ...headers, 'Expect: 100-continue', `Content-Length: ${length}`);
    const large = await sendRaw(api.url, [expecting(200_000, ...AS_WRITER)]);
    expect(large.status).toBe(413);
    expect(large.text).not.toContain('100 Continue');
    const keyless = await sendRaw(api.url, [expecting(30, 'Content-Type: application/json')]);
    expect(keyless.status).toBe(401);
    expect(keyless.text).not.toContain('100 Continue');
    const body = '{"tenantId":"T","dryRun":true}';
    const taken = await sendRaw(api.url, [expecting(body.length, ...AS_WRITER), 50, body]);
    expect(taken.text).toContain('100 Continue');
    expect(taken.status).toBe(200);
  });

  it('H9: a body that never ends is refused as soon as it is over the limit', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const answer = await sendRaw(api.url, [
      head(ONCE, HOST, ...AS_WRITER, 'Transfer-Encoding: chunked'),
      chunk,
      chunk,
    ]);
    expectEnvelope(answer, [413, 'body_too_large']);
  });

  it('H9: a body that grows over the limit when it is unpacked is refused', async () => {
    const packed = gzipSync(JSON.stringify({ tenantId: 'x'.repeat(1_000_000) }));
    const answer = await fetch(`${api.url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
      body: packed,
    });
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'body_too_large']);
  });

  const theft = (meterIds: readonly string[], indent?: number) =>
    fetch(`${api.url}/api/ami/event/theft`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify(
        { tenantId: 'T', feederId: 'FEEDER_1', durationMinutes: 60, meterIds },
        null,
        indent,
      ),
    });
  const ids = (length: number, filler: string) =>
    Array.from({ length: 5_000 }, (_, meter) => `${meter}-`.padEnd(length, filler));

  it('H9: an event takes all 5,000 meter ids that it may name, of our own and of 128 characters', async () => {
    const own = Array.from(
      { length: 5_000 },
      (_, meter) => `DEMO_TENANT-MTR-${String(meter + 1).padStart(5, '0')}`,
    );
    expect((await theft(own)).status).toBe(201);
    expect((await theft(ids(128, 'x'), 2)).status).toBe(201);
    // Four bytes per character, with as many of them as a column of 128 characters holds.
    const astral = ids(5, '-').map((id) => id + '𠮷'.repeat(123));
    expect((await theft(astral)).status).toBe(201);
  });

  it('H9: a body that no event can have is refused', async () => {
    const answer = await theft(ids(600, 'x'));
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'body_too_large']);
  });

  it('H9: 404, 405 and 415 do not depend on the rest of a request', async () => {
    const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
      new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
        // Of a DELETE Node's client would send the body without its length.
        const length = { 'Content-Length': String(body?.length ?? 0) };
        httpRequest(`${api.url}${path}`, { method, headers: { ...headers, ...length } }, (answer) => {
          answer.resume();
          resolve([answer.statusCode, answer.headers.allow]);
        })
          .on('error', reject)
          .end(body);
      });
    const json = { 'Content-Type': 'application/json' };
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      const body = method === 'GET' ? undefined : '{}';
      expect((await ask(method, '/api/ami/nothing', json, body))[0], method).toBe(404);
      if (method !== 'POST')
        expect(await ask(method, '/api/ami/publish-once', json, body), method).toEqual([
          405,
          'POST, OPTIONS',
        ]);
      if (method !== 'GET')
        expect(await ask(method, '/api/ami/schema', { ...json, ...BEARER }, body), method).toEqual([
          405,
          'GET, HEAD, OPTIONS',
        ]);
    }
    for (const type of ['text/plain', 'application/xml', 'application/json; charset=latin1']) {
      for (const path of ['/publish-once', '/event/theft', '/auto/start', '/backfill'])
        expect(await ask('POST', `/api/ami${path}`, { ...BEARER, 'Content-Type': type }, '{}'), path).toEqual(
          [415, undefined],
        );
    }
  });

  it('H9: unreadable requests leave one warning with the address, not one each', () => {
    const lines = api.logLines().filter(({ msg }) => msg === 'a request could not be read');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(10);
    for (const line of lines) expect(line).toMatchObject({ level: 40, address: '127.0.0.1' });
  });
});

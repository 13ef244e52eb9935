import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';

const LIMIT_BYTES = 150_000;

describe('the files of the dashboard', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', { GRIDLENS_READ_KEY: 'read-key-0123456789-abcdef' });
  });
  afterAll(() => deployment.close());
  const get = (path: string, headers: Record<string, string> = {}) =>
    deployment.http.get(path).set({ 'Accept-Encoding': 'identity', ...headers });
  const assets = async (): Promise<string[]> => {
    const { text } = await get('/');
    return [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path as string);
  };

  it('are served without a key, one document for every view', async () => {
    const { text } = await get('/');
    for (const path of ['/', '/feeders/A%2FB', '/meters/M-1?tenant=T', '/events', '/automatic']) {
      const response = await get(path);
      expect([response.status, response.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(response.text).toBe(text);
      expect(response.headers['cache-control']).toBe('no-cache');
    }
    const again = await get('/', { 'If-None-Match': String((await get('/')).headers.etag) });
    expect(again.status).toBe(304);
    expect((await deployment.http.post('/')).status).toBe(405);
  });

  it('are named by what is in them and kept for good, but for the icon', async () => {
    const paths = await assets();
    expect(paths).toHaveLength(3);
    for (const path of paths) {
      const { status, headers } = await get(path);
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe(
        path.endsWith('icon.svg') ? 'no-cache' : 'public, max-age=31536000, immutable',
      );
    }
    for (const gone of ['/assets/app-00000000.js', '/assets/index.html.gz', '/assets/..%2Fmade-from'])
      expect((await get(gone)).status).toBe(404);
  });

  it('come as the browser takes them, and weigh at most 150 kB in gzip together', async () => {
    const [script = ''] = (await assets()).filter((path) => path.endsWith('.js'));
    const encodingOf = async (accepted: string) =>
      (await get(script, { 'Accept-Encoding': accepted })).headers['content-encoding'];
    expect(await encodingOf('gzip, deflate, br, zstd')).toBe('br');
    expect(await encodingOf('gzip')).toBe('gzip');
    expect(await encodingOf('identity')).toBeUndefined();
    let total = 0;
    for (const path of ['/', ...(await assets())]) {
      const { headers } = await get(path, { 'Accept-Encoding': 'gzip' });
      expect(headers['content-encoding']).toBe('gzip');
      total += Number(headers['content-length']);
    }
    expect(total).toBeGreaterThan(20_000);
    expect(total).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  it('ask for nothing inline and nobody else, and are not sent to https over http', async () => {
    const { text, headers } = await get('/');
    expect(text).not.toMatch(/<style|<script[^>]*>[^<]|\sstyle=|\son\w+=|https?:/);
    const policy = String(headers['content-security-policy']);
    expect(policy).not.toMatch(/unsafe|upgrade-insecure/);
    expect(headers['strict-transport-security']).toBeUndefined();
  });
});

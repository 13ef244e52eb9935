import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/reference/document.js';
import { createDeployment, type Deployment } from '../support/deployment.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

describe('GET /openapi.json', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    // Neither the key nor anything else is asked for.
    deployment = await createDeployment('postgres', { GRIDLENS_READ_KEY: 'read-key-0123456789-abcdef' });
  });
  afterAll(() => deployment.close());

  it('is what the sources say, to anybody, compressed', async () => {
    const { status, headers, body } = await deployment.http.get('/openapi.json');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-encoding': 'gzip',
      'cache-control': 'no-cache',
      etag: expect.any(String),
    });
    expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument(version))));
    expect((await deployment.http.put('/openapi.json')).status).toBe(405);
  });
});

describe('every answer to a test', () => {
  it('is held to the reference: one that is not as documented fails the test', async () => {
    const deployment = await createDeployment('postgres');
    deployment.app.get('/secret', (_request, response) => {
      response.json({ ok: true });
    });
    // Before what answers 404 to all that comes to it.
    const { stack } = deployment.app.router as unknown as { stack: unknown[] };
    stack.unshift(stack.pop());
    expect((await deployment.http.get('/secret')).status).toBe(200);
    expect((await deployment.http.get('/healthz')).status).toBe(200);
    await expect(deployment.close()).rejects.toThrow(/GET \/secret: the path is not documented/);
  });
});

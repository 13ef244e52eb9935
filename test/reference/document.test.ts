import { readdirSync, readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import express, { type Express, Router } from 'express';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { OPENAPI_RULES } from '../../config/openapiLint.js';
import { ERROR_CODES } from '../../src/contracts/errorCodes.js';
import { createApp } from '../../src/process/app.js';
import { loadConfig } from '../../src/process/config.js';
import type { Services } from '../../src/process/services.js';
import { openApiDocument } from '../../src/reference/document.js';
import { errorsOf } from '../../src/reference/operation.js';
import { OPERATIONS } from '../../src/reference/operations/index.js';
import { expressRoutes } from '../support/expressRoutes.js';
import { createReference, type Exchange, type Route } from '../support/reference.js';

const SRC = new URL('../../src/', import.meta.url);

/** What the linter says of a document. */
async function lint(document: object): Promise<string[]> {
  const config = await createConfig(OPENAPI_RULES as Parameters<typeof createConfig>[0]);
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems.map(
    ({ severity, ruleId, message, location }) => `${severity} ${ruleId}: ${message} ${location[0]?.pointer}`,
  );
}

function app(): Express {
  // The routes are only listed: no service is called.
  const config = loadConfig(
    { DATABASE_URL: 'postgres://user@localhost/none', GRIDLENS_API_KEY: 'key-of-a-test-only' },
    { command: 'api', cwd: '/nonexistent' },
  );
  return createApp({ config, log: pino({ level: 'silent' }) }, {} as Services);
}

/** Routes that the app has and the document does not, and the other way round. */
function differences(served: Express, routes: readonly Route[]): string[] {
  const documented = routes.map(({ method, path }) => `${method} ${path}`);
  const found = expressRoutes(served);
  return [
    ...found.filter((route) => !documented.includes(route)).map((route) => `not documented: ${route}`),
    ...documented.filter((route) => !found.includes(route)).map((route) => `not there: ${route}`),
  ];
}

describe('the API reference', () => {
  const reference = createReference();
  const { document, routes } = reference;

  it('is what the linter wants', async () => {
    expect(await lint(document)).toEqual([]);
  });

  it('is judged by a linter that finds something', async () => {
    const broken = structuredClone(document) as unknown as {
      paths: Record<string, { get: { operationId: string; responses: object } }>;
    };
    const health = broken.paths['/healthz'] as { get: { operationId: string; responses: object } };
    health.get = { ...health.get, operationId: 'getReadiness', responses: {} };
    expect((await lint(broken)).map((problem) => problem.split(':')[0])).toEqual(
      expect.arrayContaining(['error operation-operationId-unique']),
    );
  });

  it('has every route, and no other', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect(differences(app(), routes)).toEqual([]);
  });

  it.each<[string, (served: Express) => void, string]>([
    ['a route', (served) => served.get('/secret', () => undefined), 'not documented: GET /secret'],
    ['a method', (served) => served.post('/healthz', () => undefined), 'not documented: POST /healthz'],
    [
      'a route in a router',
      (served) =>
        served.use(
          '/api/ami',
          Router().delete('/events/:id', () => undefined),
        ),
      'not documented: DELETE /api/ami/events/{id}',
    ],
    [
      'a router elsewhere',
      (served) =>
        served.use(
          '/secret',
          Router().get('/one', () => undefined),
        ),
      'not documented: GET /secret/one',
    ],
    ['an app', (served) => served.use('/secret', express()), 'not documented: GET /secret'],
  ])('would miss %s that is added', (_what, add, trouble) => {
    const served = app();
    add(served);
    expect(differences(served, routes)).toEqual([trouble]);
  });

  it('would not keep a route that is gone', () => {
    const [first] = OPERATIONS as [(typeof OPERATIONS)[number]];
    const more = openApiDocument('0.0.0', [...OPERATIONS, { ...first, path: '/gone', id: 'gone' }]);
    expect(differences(app(), createReference(more).routes)).toEqual(['not there: POST /gone']);
  });

  it('knows every code that is thrown, with its status', () => {
    const source = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(new URL(path, SRC), 'utf8'))
      .join('\n');
    const thrown = [...source.matchAll(/new ApiError\(\s*(\d+),\s*'(\w+)'/g)].map(([, status, code]) => [
      code,
      Number(status),
    ]);
    expect(Object.fromEntries(thrown)).toEqual(
      Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { status }]) => [code, status])),
    );
    // Each is a failure of some route.
    expect(new Set(OPERATIONS.flatMap(errorsOf))).toEqual(new Set(Object.keys(ERROR_CODES)));
  });

  it('has examples of every body, each as its schema has it', () => {
    const troubles: string[] = [];
    let count = 0;
    const look = (
      where: string,
      content: Record<string, { schema: object; examples?: object }> = {},
    ): void => {
      for (const [type, { schema, examples = {} }] of Object.entries(content)) {
        const values = Object.values(examples) as { value: unknown }[];
        if (type === 'application/json' && values.length === 0) troubles.push(`${where} has no example`);
        for (const { value } of values) {
          count += 1;
          const trouble = reference.mismatch(schema, value);
          if (trouble !== undefined) troubles.push(`${where}: ${trouble}`);
        }
      }
    };
    for (const { method, path, requestBody, responses, parameters = [] } of routes) {
      look(`${method} ${path}`, requestBody?.content);
      for (const [status, response] of Object.entries(responses))
        look(`${method} ${path} ${status}`, response.content);
      for (const { name, example, required } of parameters)
        if (required && example === undefined) troubles.push(`${method} ${path} ${name} has no example`);
    }
    const shared = (document.components?.responses ?? {}) as Record<string, Route['responses'][string]>;
    for (const [name, { content }] of Object.entries(shared)) look(name, content);
    expect(troubles).toEqual([]);
    expect(count).toBeGreaterThan(60);
  });

  it('has example bodies that the routes take', () => {
    for (const { body, id } of OPERATIONS)
      for (const example of Object.values(body?.examples ?? {}))
        expect(body?.schema.safeParse(example).error, id).toBeUndefined();
  });

  it('sees what is not as it is documented', () => {
    const health: Exchange = {
      method: 'GET',
      url: '/healthz?probe=1',
      status: 200,
      contentType: 'application/json; charset=utf-8',
      body: '{"ok":true}',
    };
    const refused = {
      ...health,
      url: '/api/ami/status?tenantId=',
      status: 400,
      body: '{"ok":false,"error":"tenantId must be.","code":"invalid_request","requestId":"1","details":[]}',
    };
    expect(reference.trouble(health)).toBeUndefined();
    expect(reference.trouble(refused)).toBeUndefined();
    expect(reference.trouble({ ...health, method: 'HEAD', body: '' })).toBeUndefined();
    expect(reference.trouble({ ...health, method: 'OPTIONS', status: 204, body: '' })).toBeUndefined();
    const method = refused.body.replace('invalid_request', 'method_not_allowed').replace(',"details":[]', '');
    expect(reference.trouble({ ...health, method: 'PUT', status: 405, body: method })).toBeUndefined();
    for (const [change, says] of [
      [{ status: 201 }, '201 is not documented'],
      [{ status: 503, body: refused.body }, '503 is not documented'],
      [{ url: '/secret' }, 'the path is not documented'],
      [{ method: 'PUT' }, 'the method is not documented'],
      [{ method: 'HEAD' }, 'HEAD is answered with a body'],
      [{ status: 304 }, '304 is documented without a body'],
      [{ contentType: 'text/html; charset=utf-8' }, 'the content type text/html; charset=utf-8'],
      [{ body: '{}' }, "must have required property 'ok'"],
      [{ body: '{"ok":1}' }, 'must be equal to one of the allowed values'],
      [{ body: '{"ok":true,"more":1}' }, 'must NOT have additional properties'],
    ] as [Partial<Exchange>, string][])
      expect(reference.trouble({ ...health, ...change })).toContain(says);
    const otherCode = refused.body.replace('invalid_request', 'backpressure');
    expect(reference.trouble({ ...refused, body: otherCode })).toContain('body/code');
  });
});

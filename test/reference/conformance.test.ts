import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import pino from 'pino';
import supertest from 'supertest';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { handleOneAtATime } from '../../src/http/oneAtATime.js';
import { createHttpServer } from '../../src/http/server.js';
import { createApp } from '../../src/process/app.js';
import type { Running } from '../../src/process/lifecycle.js';
import type { Services } from '../../src/process/services.js';
import { describeOnBothBackends } from '../support/backends.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { sendRaw } from '../support/rawConnection.js';
import {
  createReference,
  type Exchange,
  observed,
  type Reference,
  type Route,
} from '../support/reference.js';
import { waitFor } from '../support/waitFor.js';

const READ_KEY = 'read-key-0123456789-abcdef';
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
/** An address that is limited, and one that is not: this machine's own. */
const STRANGER = { 'X-Forwarded-For': '203.0.113.7' };
/** A minute into the interval after those that the examples speak of. */
const NOW = new Date('2026-01-31T10:46:00Z');
const NOBODY = '0190b5e4-7f3a-4c4e-9f4e-1d2c3b4a5f60';
/** Of a day before NOW. */
const FILE = readFileSync('test/data/interval-files/nem12-15min.csv', 'utf8').replace(
  /^300,202604/gm,
  '300,202601',
);

type Headers = Record<string, string>;
interface Sent {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

describeOnBothBackends('the API and its reference', (backend) => {
  let reference: Reference;
  let deployment: Deployment;
  let worker: Running;
  let http: ReturnType<typeof supertest>;
  const seen = new Set<string>();
  const troubles: string[] = [];
  /** Ids of what there is, by the parameter that takes them. */
  const ids: Record<string, string> = {};

  const report = (exchange: Exchange): void => {
    const trouble = reference.trouble(exchange);
    if (trouble !== undefined) troubles.push(trouble);
    const codes = exchange.status >= 400 ? ` ${JSON.parse(exchange.body).code}` : '';
    // Another method is refused by the path, whichever operation stands there.
    const routes = reference.routes.filter(
      (route) =>
        route === reference.routeOf(exchange) ||
        (exchange.status === 405 && reference.routeOf({ ...exchange, method: route.method }) === route),
    );
    for (const { operationId } of routes) seen.add(`${operationId} ${exchange.status}${codes}`);
  };
  beforeAll(async () => {
    reference = createReference();
    deployment = await createDeployment(
      backend,
      {
        GRIDLENS_READ_KEY: READ_KEY,
        ALLOWED_HOSTS: 'gridlens.example',
        TRUSTED_PROXY_HOPS: '1',
        READS_PER_ADDRESS: '1',
        IMPORT_MAX_MB: '1',
      },
      () => NOW,
    );
    http = supertest(observed(deployment.app, report));
    worker = await deployment.startWorker();
  });
  afterAll(async () => {
    await deployment?.close();
  });

  /** The address of an operation, by the examples of its parameters, those of `values` in their place. */
  const urlOf = ({ path, parameters = [] }: Route, values: Record<string, string> = {}): string => {
    const given = parameters.flatMap(({ name, in: place, example }) => {
      const value = values[name] ?? example;
      return value === undefined ? [] : [{ name, place, value: String(value) }];
    });
    const filled = given
      .filter(({ place }) => place === 'path')
      .reduce((url, { name, value }) => url.replace(`{${name}}`, encodeURIComponent(value)), path);
    const query = given.filter(({ place }) => place === 'query');
    return query.length === 0
      ? filled
      : `${filled}?${new URLSearchParams(query.map(({ name, value }): [string, string] => [name, value]))}`;
  };
  const routeCalled = (id: string): Route =>
    reference.routes.find(({ operationId }) => operationId === id) as Route;
  const isRead = ({ method }: Route): boolean => method === 'GET';
  const needsKey = ({ security = [] }: Route): boolean => security.length > 0;
  const keyOf = (route: Route): Headers => bearer(isRead(route) ? READ_KEY : API_KEY);
  const send = async (
    route: Route,
    url: string,
    body?: unknown,
    headers: Headers = keyOf(route),
  ): Promise<Sent> => {
    const asked = http[methodOf(route)](url).set(headers);
    if (isOfFile(route)) asked.type('text/csv');
    const response = await asked.send(isOfFile(route) ? String(body ?? '') : (body as object));
    return response as unknown as Sent;
  };
  const examplesOf = ({ requestBody }: Route): unknown[] =>
    Object.values(requestBody?.content['application/json']?.examples ?? {}).map(({ value }) => value);
  const each = async (work: (route: Route) => Promise<unknown>, among = reference.routes): Promise<void> => {
    for (const route of among) await work(route);
  };
  /** Routes that ask Postgres or the queue. */
  const asking = (): Route[] =>
    reference.routes.filter((route) => !isPage(route) && route.path !== '/healthz');
  const withBody = (): Route[] =>
    reference.routes.filter(({ requestBody }) => requestBody?.content['application/json'] !== undefined);
  const isOfFile = ({ requestBody }: Route): boolean => requestBody?.content['*/*'] !== undefined;
  /** What is sent where it matters that something is: an example, or a file. */
  const something = (route: Route): unknown => (isOfFile(route) ? FILE : examplesOf(route)[0]);

  it('takes every example body, and answers it as documented', async () => {
    // What the examples of events and series speak of is published first.
    for (const readAt of ['2026-01-31T10:00:00Z', '2026-01-31T10:15:00Z', '2026-01-31T10:30:00Z'])
      await deployment.post('/api/ami/publish-once', { tenantId: 'DEMO_TENANT', readAt });
    await waitFor('three intervals', async () => {
      const { rows } = await deployment.database.pool.query(
        `SELECT FROM ami_publish_batches WHERE state = 'done'`,
      );
      return rows.length >= 3;
    });
    await each(async (route) => {
      for (const example of examplesOf(route)) {
        const { status, body } = await send(route, urlOf(route), example);
        expect(status, `${route.path} ${JSON.stringify(body)}`).toBeLessThan(300);
        for (const name of ['publishId', 'backfillId']) if (body[name]) ids[name] = body[name] as string;
        if (body.runId) ids.runId = String(body.runId);
        if (body.event) ids.id = (body.event as { id: string }).id;
      }
    }, withBody());
    const { rows } = await deployment.database.pool.query(
      `INSERT INTO ami_imports (tenant_id, file_name, format, over_emulated, state)
       VALUES ('DEMO_TENANT', 'nothing.csv', 'csv', false, 'writing') RETURNING import_id::text AS id`,
    );
    ids.importId = rows[0].id;
    expect(Object.keys(ids).toSorted()).toEqual(['backfillId', 'id', 'importId', 'publishId', 'runId']);
  });

  it('answers every GET with what it documents, and 304 to who has it', async () => {
    await http.post('/api/ami/start').set(bearer(API_KEY)).send({ tenantId: 'DEMO_TENANT' });
    await each(
      async (route) => {
        const real = route.path.startsWith('/api/') ? ids : {};
        const url = urlOf(route, real);
        // What changes from one moment to the next may have a new tag.
        await waitFor(`${url} to be the same twice`, async () => {
          const { status, headers } = await send(route, url);
          if (status !== 200) return false;
          const again = await http.get(url).set({ ...keyOf(route), 'If-None-Match': headers.etag as string });
          return again.status === 304;
        });
        expect((await http.head(url).set(keyOf(route))).status).toBe(200);
        const options = await http.options(url);
        expect([options.status, options.headers.allow]).toEqual([204, expect.stringContaining('GET')]);
      },
      reference.routes.filter(({ method, responses }) => method === 'GET' && responses[304]),
    );
    expect((await http.get(urlOf(routeCalled('exportReads'))).set(bearer(READ_KEY))).status).toBe(200);
    expect((await send(routeCalled('listReads'), urlOf(routeCalled('listReads')))).status).toBe(200);
    expect((await http.get('/metrics').set(bearer(READ_KEY))).status).toBe(200);
    expect((await send(routeCalled('getZone'), urlOf(routeCalled('getZone')))).status).toBe(200);
    // Of a tenant that has reads.
    const zone = { tenantId: 'DEMO_TENANT', timeZone: 'Europe/Berlin' };
    expect((await send(routeCalled('setZone'), urlOf(routeCalled('setZone')), zone)).status).toBe(202);
    const withoutReads = { ...zone, tenantId: 'NO_READS' };
    expect((await send(routeCalled('setZone'), urlOf(routeCalled('setZone')), withoutReads)).status).toBe(
      200,
    );
    await http.post('/api/ami/stop').set(bearer(API_KEY)).send({ tenantId: 'DEMO_TENANT' });
  });

  it('does what a POST without a body documents', async () => {
    await each(
      async (route) => {
        expect((await send(route, urlOf(route, ids))).status).toBe(200);
      },
      reference.routes.filter((route) => !isRead(route) && route.requestBody === undefined),
    );
  });

  it('takes a file, looks at one, and refuses others, as documented', async () => {
    await each(async (route) => {
      const url = urlOf(route);
      const sent = async (body: string, type = 'text/csv', more = '') =>
        (await http.post(`${url}${more}`).set(keyOf(route)).type(type).send(body)) as unknown as Sent;
      expect((await sent(something(route) as string, 'text/csv', '&dryRun=true')).status).toBe(200);
      expect((await sent(something(route) as string)).status).toBe(202);
      const codes = [
        await sent('{}', 'application/json'),
        await sent('<html></html>'),
        await sent('meter,start,kwh\nA,03/04/2026 00:00,1\nA,03/04/2026 00:15,1\n'),
      ];
      expect(codes.map(({ status, body }) => `${status} ${body.code}`)).toEqual([
        ...['415 unsupported_media_type', '400 file_refused', '400 file_ambiguous'],
      ]);
      expect((await sent('x'.repeat(2 ** 20 + 1))).status).toBe(413);
    }, reference.routes.filter(isOfFile));
  });

  it('refuses as documented: ids of nothing, other methods, keys', async () => {
    await each(async (route) => {
      const { parameters = [] } = route;
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      if (route.responses[404]) {
        const inAddress = inPath.map(({ name }) => [
          name,
          ['importId', 'runId'].includes(name) ? '999999999' : NOBODY,
        ]);
        const nothing = { meters: NOBODY, ...Object.fromEntries(inAddress) };
        expect((await send(route, urlOf(route, nothing))).status, route.path).toBe(404);
      }
      expect((await http.patch(urlOf(route)).set(keyOf(route))).status).toBe(405);
      if (needsKey(route)) expect((await send(route, urlOf(route), {}, {})).status, route.path).toBe(401);
      if (route.responses[403])
        expect((await send(route, urlOf(route), {}, bearer(READ_KEY))).status).toBe(403);
    });
  });

  it('refuses as documented: parameters and bodies', async () => {
    await each(async (route) => {
      for (const { name, in: place } of (route.parameters ?? []).filter(({ schema }) => isChecked(schema))) {
        const { status, body } = await send(route, urlOf(route, { ...ids, [name]: '\u0001' }));
        if (isPage(route)) continue;
        expect([status, (body.details as { path: string }[])[0]?.path], `${route.path} ${place}`).toEqual([
          400,
          name,
        ]);
      }
    });
    await each(async (route) => {
      const url = urlOf(route);
      const raw = (text: string, type = 'application/json') =>
        http[methodOf(route)](url)
          .set({ ...keyOf(route), 'Content-Type': type })
          .send(text);
      expect((await raw('{"tenantId":7}')).status).toBe(400);
      expect((await raw('{')).body.code).toBe('invalid_json');
      expect((await raw('a=b', 'application/x-www-form-urlencoded')).status).toBe(415);
      expect((await raw(JSON.stringify({ tenantId: 'x'.repeat(2_800_000) }))).status).toBe(413);
    }, withBody());
  });

  it('refuses as documented: what is too long, and what is no HTTP', async () => {
    const times = { keepAliveTimeout: 1_000, requestTimeout: 300, connectionsCheckingInterval: 50 };
    const server = await listening(
      createHttpServer(deployment.context.log, times),
      observed(deployment.app, report),
    );
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await each(async (route) => {
        const line = `${route.method} ${urlOf(route, ids)}`;
        const note = async (parts: (string | number)[], status: number): Promise<void> => {
          const answer = await sendRaw(url, parts);
          expect(answer.status, route.path).toBe(status);
          report({
            method: route.method,
            url: urlOf(route, ids),
            status,
            contentType: answer.headers['content-type'],
            body: JSON.stringify(answer.body),
          });
        };
        await note(
          [`${line}${line.includes('?') ? '&' : '?'}x=${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
          414,
        );
        if (!['/healthz', '/readyz'].includes(route.path))
          await note([`${line} HTTP/1.1\r\nHost: a\r\n\r\n`], 421);
        await note([`${line} HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`], 431);
        await note([`${line} HTTP/1.1\r\n\r\n`], 400);
        // The same for every route: its headers do not end.
        if (route === reference.routes[0]) await note([`${line} HTTP/1.1\r\nHost: a\r\n`, 5_000], 408);
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('refuses as documented: who asks too often, or guesses keys', async () => {
    const wrong = { ...bearer('a-wrong-key-0123456789'), ...STRANGER };
    const keyed = reference.routes.filter(needsKey);
    for (let sent = 0; sent <= 20; sent += 1) await http.post('/api/ami/stop').set(wrong).send({});
    await each(async (route) => {
      const { status, body } = await send(route, urlOf(route), {}, wrong);
      expect([status, body.code]).toEqual([429, 'too_many_wrong_keys']);
    }, keyed);
    await each(
      async (route) => {
        const { body } = await waitFor(`${route.path} to be refused`, async () => {
          const answer = await send(route, urlOf(route, ids), undefined, { ...keyOf(route), ...STRANGER });
          return answer.status === 429 && answer;
        });
        expect(body.code).toBe('too_many_requests');
      },
      keyed.filter((route) => isRead(route) && !isPage(route)),
    );
  });

  it('fails as documented: a fault of the product', async () => {
    const { config } = deployment;
    // There are no services: each route that asks one fails.
    const app = createApp({ config, log: pino({ level: 'silent' }) }, {} as Services);
    const faulty = supertest(observed(app, report));
    await each(async (route) => {
      const url = urlOf(route, ids);
      const asked = faulty[methodOf(route)](url);
      if (isOfFile(route)) asked.type('text/csv');
      const { status } = await asked.set(keyOf(route)).send(something(route) as object);
      expect(status, route.path).toBe(500);
    }, asking());
  });

  it('fails as documented: Postgres is away', async () => {
    await worker.stop();
    const client = new pg.Client({ connectionString: inject('clusterUrl') });
    await client.connect();
    await client.query(`DROP DATABASE ${new URL(deployment.database.url).pathname.slice(1)} WITH (FORCE)`);
    await client.end();
    await each(async (route) => {
      const { status, body } = await send(route, urlOf(route, ids), something(route));
      expect([status, body.code], route.path).toEqual([503, 'unavailable']);
    }, asking());
  });

  it('has answered nothing that is not documented, and all that is', () => {
    expect(troubles).toEqual([]);
    const documented = reference.routes.flatMap((route) =>
      Object.keys(route.responses).flatMap((status) =>
        codesOf(reference, route, status)
          .filter((code) => !isShownElsewhere(route, code))
          .map((code) => `${route.operationId} ${status}${code}`),
      ),
    );
    expect(documented.length).toBeGreaterThan(300);
    expect(documented.filter((one) => !seen.has(one))).toEqual([]);
  });
});

/** ` invalid_json` and so on of a failure, nothing of another answer. */
function codesOf({ document }: Reference, route: Route, status: string): string[] {
  const ref = route.responses[status]?.$ref;
  if (ref === undefined) return [''];
  const name = ref.split('/').at(-1) as string;
  expect(document.components?.responses).toHaveProperty([name]);
  return name
    .split('.')
    .slice(1)
    .map((code) => ` ${code}`);
}

/**
 * What other tests make, since it takes a full queue, a crowd, a registry, a build that is gone or a fault in what asks nobody.
 * A request that does not end is of no route yet.
 */
function isShownElsewhere(route: Route, code: string): boolean {
  const rare = ['busy', 'request_timeout', 'backpressure', 'registry_empty', 'fleet_unavailable', 'no_room'];
  const asksNobody = isPage(route) || route.path === '/healthz';
  return [...rare, ...(asksNobody ? ['internal', 'unavailable'] : [])].includes(code.trim());
}

function methodOf({ method }: Route): 'get' | 'post' | 'put' | 'delete' {
  return method.toLowerCase() as 'get';
}

function isPage({ tags }: Route): boolean {
  return tags.includes('Pages');
}

/** Whether a schema refuses anything that an address may hold. */
function isChecked(schema: object): boolean {
  return ['pattern', 'format', 'enum', 'minimum'].some((key) => key in schema);
}

async function listening(server: Server, app: Parameters<typeof handleOneAtATime>[1]): Promise<Server> {
  handleOneAtATime(server, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

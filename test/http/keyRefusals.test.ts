import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';

const OLD = 'old-write-key-0123456789';
const NEW = 'new-write-key-0123456789';
const READ = 'read-key-0123456789-abcdef';
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
const DRY_RUN = { tenantId: 'T', dryRun: true };
/** What the guards of http/apiKey.ts allow per address and minute. */
const LIMIT = 20;

describe('keys', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', { GRIDLENS_API_KEY: `${OLD}, ${NEW}` });
  });
  afterAll(() => deployment.close());
  const publish = (headers: Record<string, string>, query = '') =>
    deployment.http.post(`/api/ami/publish-once${query}`).set(headers).send(DRY_RUN);
  const warnings = (text: string) =>
    deployment.logLines.filter(({ level, msg }) => level === 40 && String(msg).includes(text));

  it('takes each of several keys, so that one can take the place of another', async () => {
    expect((await publish(bearer(OLD))).status).toBe(200);
    expect((await publish(bearer(NEW))).status).toBe(200);
    for (const wrong of [`${OLD},${NEW}`, `${OLD}, ${NEW}`, OLD.slice(1), `${OLD}x`])
      expect((await publish(bearer(wrong))).status, wrong).toBe(401);
  });

  it('leaves reads open where no read key is set, also to who sends a wrong key', async () => {
    for (const headers of [{}, bearer('wrong-key-0123456789')]) {
      const answer = await deployment.http.get('/api/ami/kpi/quickcheck?tenantId=T').set(headers);
      expect(answer.status).toBe(200);
    }
  });

  it('H6: the values of a query are in no log line, and a key in a path is in none', async () => {
    deployment.logLines.length = 0;
    await publish({}, `?api_key=${NEW}`);
    await publish(bearer(NEW), `?key=${NEW}&${NEW}`);
    await deployment.http.post(`/api/ami/${NEW}/publish-once`).send({});
    await deployment.http.get(`/api/ami/status?tenantId=${encodeURIComponent(`no tenant ${NEW}`)}`);
    await deployment.http.get('/api/ami/status?tenantId=T&key=%ZZ');
    const logged = JSON.stringify(deployment.logLines);
    expect(logged).toContain('/api/ami/publish-once');
    expect(logged).not.toContain(NEW);
    expect(logged).not.toContain('api_key');
  });

  it('H6: wrong keys are warnings with the address, their count and the limit; a hundred leave a few lines', async () => {
    const before = warnings('refused').length;
    const statuses: number[] = [];
    for (let sent = 0; sent < 100; sent += 1)
      statuses.push((await publish(bearer(`guess-${sent}-0123456789`))).status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.at(-1)).toBe(429);
    const lines = warnings('refused');
    expect(lines.length - before).toBeLessThanOrEqual(3);
    expect(lines).toContainEqual(
      expect.objectContaining({
        address: expect.stringMatching(/127\.0\.0\.1$/),
        status: 429,
        wrongKeys: LIMIT + 1,
        limit: LIMIT,
        path: '/api/ami/publish-once',
      }),
    );
    expect(JSON.stringify(deployment.logLines)).not.toContain('guess-');
    const completed = deployment.logLines.filter(({ msg }) => msg === 'request completed');
    expect(JSON.stringify(completed)).not.toMatch(/"statusCode":4(01|29)/);
  });

  it('requests without a key that no guard refuses leave a line per status and minute; those with one a line each', async () => {
    deployment.logLines.length = 0;
    for (let sent = 0; sent < 40; sent += 1)
      await Promise.all([
        deployment.http.post('/nowhere').send({}),
        deployment.http.put('/api/ami/publish-once').send({}),
        deployment.http.options('/api/ami/publish-once'),
      ]);
    const completed = deployment.logLines.filter(({ msg }) => msg === 'request completed');
    expect(completed.length).toBeLessThanOrEqual(3);
    expect(completed.length).toBeGreaterThan(0);
    for (let sent = 0; sent < 3; sent += 1) await publish(bearer(NEW));
    const ofHolder = deployment.logLines.filter(
      ({ msg, res }) => msg === 'request completed' && (res as { statusCode: number }).statusCode === 200,
    );
    expect(ofHolder).toHaveLength(3);
  });

  it('asking again and again whether it is ready leaves a few lines while it is not', async () => {
    deployment.logLines.length = 0;
    for (let sent = 0; sent < 30; sent += 1)
      expect((await deployment.http.get('/readyz?require=worker')).status).toBe(503);
    expect(warnings('not ready').length).toBeLessThanOrEqual(2);
    expect(warnings('not ready')).toContainEqual(expect.objectContaining({ dependency: 'worker' }));
  });

  it('says after how many seconds an address may try again, and takes the right key at any time', async () => {
    const refused = await publish(bearer('one-more-guess-0123456789'));
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_wrong_keys']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect((await publish(bearer(NEW))).status).toBe(200);
    // Without a key nothing is guessed.
    expect((await publish({})).status).toBe(401);
  });

  it('counts by the address of Express, not by a header that anybody may send', async () => {
    const answer = await publish({ ...bearer('guess-again-0123456789'), 'X-Forwarded-For': '198.51.100.7' });
    expect(answer.status).toBe(429);
  });
});

describe('a read key', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {
      GRIDLENS_API_KEY: NEW,
      GRIDLENS_READ_KEY: `${READ},another-${READ}`,
      CORS_ORIGINS: 'https://app.gridlensenergy.com',
    });
  });
  afterAll(() => deployment.close());

  const ID = '0190b5e4-7f3a-4c4e-9f4e-1d2c3b4a5f60';
  const SPAN = 'tenantId=T&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z';
  const READS = [
    '/api/ami/kpi/quickcheck?tenantId=T',
    '/api/ami/status?tenantId=T',
    '/api/ami/scale/status?tenantId=T',
    '/api/ami/events?tenantId=T',
    `/api/ami/events/${ID}`,
    '/api/ami/auto/status?tenantId=T',
    '/api/ami/backfills?tenantId=T',
    `/api/ami/backfill/${ID}`,
    '/api/ami/imports?tenantId=T',
    '/api/ami/imports/17',
    '/api/ami/imports/17/refusals',
    '/api/ami/import-mappings?tenantId=T',
    `/api/ami/import-mappings/${ID}?tenantId=T`,
    `/api/ami/publish/${ID}`,
    '/api/ami/vee/rules?tenantId=T',
    '/api/ami/vee/runs/17',
    '/api/ami/vee/summary?tenantId=T&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
    '/api/ami/schema',
    '/api/ami/reads?tenantId=T&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&meters=M',
    '/api/ami/exports?tenantId=T&from=2026-01-01&to=2026-01-01&format=csv',
    '/api/ami/tenants',
    '/api/ami/zone?tenantId=T',
    `/api/ami/kpi/feeders/intervals?${SPAN}`,
    `/api/ami/kpi/feeders/${ID}/intervals?${SPAN}`,
    `/api/ami/kpi/feeders/${ID}/meters?tenantId=T`,
    `/api/ami/kpi/meters/${ID}/intervals?${SPAN}`,
  ];

  it('guards every route that reads; a key that may write reads too', async () => {
    for (const path of READS) {
      expect((await deployment.http.get(path)).status, path).toBe(401);
      expect((await deployment.http.head(path)).status, path).toBe(401);
      for (const key of [READ, `another-${READ}`, NEW])
        expect([200, 404], path).toContain((await deployment.http.get(path).set(bearer(key))).status);
    }
    expect(
      READS.map((path) => path.replace(/\?.*/, '').replace(ID, ':id').replace(/17\b/, ':id')).toSorted(),
    ).toEqual(readRoutes(deployment).toSorted());
  });

  it('leaves the probes open', async () => {
    for (const path of ['/healthz', '/readyz'])
      expect((await deployment.http.get(path)).status, path).toBe(200);
  });

  it('does not write: 403 says which key does', async () => {
    const answer = await deployment.http.post('/api/ami/publish-once').set(bearer(READ)).send(DRY_RUN);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(answer.body.error).toContain('GRIDLENS_API_KEY');
    expect(JSON.stringify(answer.body)).not.toContain(NEW);
  });

  it('lets a browser of the dashboard’s origin send it, and read the 401', async () => {
    const origin = { Origin: 'https://app.gridlensenergy.com' };
    const preflight = await deployment.http.options('/api/ami/kpi/quickcheck').set({
      ...origin,
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
    const refused = await deployment.http.get('/api/ami/kpi/quickcheck?tenantId=T').set(origin);
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(origin.Origin);
  });
});

/** The paths of all GET routes below /api/ami, with `:id` for whatever their parameter is called. */
function readRoutes({ app }: Deployment): string[] {
  interface Layer {
    route?: { path: string; methods: Record<string, boolean> };
    handle?: { stack?: Layer[] };
  }
  const stack = (app.router as unknown as { stack: Layer[] }).stack;
  return stack
    .flatMap(({ route, handle }) => (route ? [] : (handle?.stack ?? [])))
    .flatMap(({ route }) => (route?.methods.get ? [`/api/ami${route.path.replace(/:\w+/, ':id')}`] : []));
}

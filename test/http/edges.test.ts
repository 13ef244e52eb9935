import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY, BEARER, createDeployment, type Deployment } from '../support/deployment.js';

describe('the edges of the API', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', { CORS_ORIGINS: 'https://app.gridlensenergy.com' });
  });
  afterAll(() => deployment.close());

  const path = '/api/ami/publish-once';
  const publish = (body: unknown) => deployment.post(path, body);
  const tables = ['ami_publishes', 'ami_publish_batches', 'meter_reads_electric', 'bullmq.job'];
  const written = async (): Promise<number> => {
    let rows = 0;
    for (const table of tables) {
      const { rows: counted } = await deployment.database.pool.query(
        `SELECT count(*)::integer AS n FROM ${table}`,
      );
      rows += counted[0].n;
    }
    return rows;
  };

  it.each([
    ['tenantId missing', {}, 'tenantId'],
    ['tenantId of the wrong type', { tenantId: 7 }, 'tenantId'],
    ['tenantId empty', { tenantId: '' }, 'tenantId'],
    ['tenantId with a quote', { tenantId: "a'; DROP TABLE x" }, 'tenantId'],
    ['tenantId too long', { tenantId: 'x'.repeat(65) }, 'tenantId'],
    ['meterCount a string', { tenantId: 'T', meterCount: '25000' }, 'meterCount'],
    ['meterCount zero', { tenantId: 'T', meterCount: 0 }, 'meterCount'],
    ['meterCount negative', { tenantId: 'T', meterCount: -1 }, 'meterCount'],
    ['meterCount a fraction', { tenantId: 'T', meterCount: 1.5 }, 'meterCount'],
    ['meterCount null', { tenantId: 'T', meterCount: null }, 'meterCount'],
    ['batchSize true', { tenantId: 'T', batchSize: true }, 'batchSize'],
    ['feederCount a list', { tenantId: 'T', feederCount: [25] }, 'feederCount'],
    ['intervalMinutes 30', { tenantId: 'T', intervalMinutes: 30 }, 'intervalMinutes'],
    ['dryRun a string', { tenantId: 'T', dryRun: 'false' }, 'dryRun'],
    ['seed an object', { tenantId: 'T', seed: {} }, 'seed'],
    ['seed with a control character', { tenantId: 'T', seed: '\u0000' }, 'seed'],
    ['seed with half a character', { tenantId: 'T', seed: '\ud800' }, 'seed'],
    ['onConflict unknown', { tenantId: 'T', onConflict: 'replace' }, 'onConflict'],
    ['readAt no instant', { tenantId: 'T', readAt: 'yesterday' }, 'readAt'],
    ['readAt without a zone', { tenantId: 'T', readAt: '2026-01-31T10:00:00' }, 'readAt'],
    ['readAt off the boundary', { tenantId: 'T', readAt: '2026-01-31T10:07:00Z' }, 'readAt'],
    [
      'readAt a fraction of a millisecond off it',
      { tenantId: 'T', readAt: '2026-01-31T10:00:00.0001Z' },
      'readAt',
    ],
    ['readAt in the future', { tenantId: 'T', readAt: '2999-01-01T00:00:00Z' }, 'readAt'],
    ['readAt in the last century', { tenantId: 'T', readAt: '1970-01-01T00:00:00Z' }, 'readAt'],
    [
      'readAt on a quarter for an hourly publish',
      { tenantId: 'T', intervalMinutes: 60, readAt: '2026-01-31T10:15:00Z' },
      'readAt',
    ],
    ['timeZone unknown', { tenantId: 'T', timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['timeZone an offset', { tenantId: 'T', timeZone: '+01:00' }, 'timeZone'],
    ['climate unknown', { tenantId: 'T', climate: 'moon' }, 'climate'],
    ['a misspelt field', { tenantId: 'T', meterCuont: 5 }, 'meterCuont'],
    ['fleet registry, not built yet', { tenantId: 'T', fleet: 'registry' }, 'fleet'],
  ])('400 names the field: %s', async (_name, body, field) => {
    const before = await written();
    const response = await publish(body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      ok: false,
      requestId: expect.any(String),
      code: expect.any(String),
    });
    expect(response.body.error.split(' ')[0]).toBe(field);
    expect(response.body.details[0].path).toBe(field);
    expect(response.body.error).not.toContain('\n');
    expect(await written()).toBe(before);
  });

  it.each([[[]], ['text'], [7], [null]])('400 for a body that is %j', async (body) => {
    const response = await deployment.http
      .post(path)
      .set(BEARER)
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body));
    expect(response.status).toBe(400);
    expect(response.body.error).toContain('JSON object');
  });

  it('400 for numbers JSON can write but nobody can mean', async () => {
    const response = await deployment.http
      .post(path)
      .set(BEARER)
      .set('Content-Type', 'application/json')
      .send('{"tenantId":"T","meterCount":1e999}');
    expect(response.status).toBe(400);
    expect(response.body.error).toContain('meterCount');
  });

  it('400 for broken JSON, 413 for a large body, 415 for another type or encoding', async () => {
    const raw = (body: string, type = 'application/json') =>
      deployment.http.post(path).set(BEARER).set('Content-Type', type).send(body);
    expect((await raw('{"tenantId":')).body).toMatchObject({ ok: false, code: 'invalid_json' });
    const large = await raw(JSON.stringify({ tenantId: 'x'.repeat(110_000) }));
    expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
    const form = await raw('tenantId=T', 'application/x-www-form-urlencoded');
    expect([form.status, form.body.code]).toEqual([415, 'unsupported_media_type']);
    const latin = await raw('{}', 'application/json; charset=iso-8859-1');
    expect(latin.status).toBe(415);
  });

  it('401 without the key, with a wrong one, or in another scheme; before anything is looked at', async () => {
    for (const authorization of [
      undefined,
      'Bearer wrong',
      `Basic ${API_KEY}`,
      'Bearer',
      `Bearer ${API_KEY}x`,
    ]) {
      const request = deployment.http.post(path);
      if (authorization !== undefined) request.set('Authorization', authorization);
      const response = await request.send({ nonsense: true });
      expect(response.status).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(response.body).toMatchObject({ ok: false, code: 'unauthorized' });
      expect(JSON.stringify(response.body)).not.toContain(API_KEY);
    }
  });

  it('405 says what is allowed, 404 for the rest', async () => {
    const get = await deployment.http.get(path);
    expect([get.status, get.headers.allow]).toEqual([405, 'POST, OPTIONS']);
    const put = await deployment.http.put('/api/ami/scale/status');
    expect([put.status, put.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await deployment.http.delete('/healthz')).status).toBe(405);
    const event = await deployment.http.get('/api/ami/event/theft');
    expect([event.status, event.headers.allow]).toEqual([405, 'POST, OPTIONS']);
    for (const nowhere of ['/api/ami/nothing', '/nothing', '/api/ami/auto', '/api/ami/event/fire']) {
      const response = await deployment.http.get(nowhere);
      expect([response.status, response.body.code]).toEqual([404, 'not_found']);
    }
  });

  it('400 for a status without tenant, 404 for an unknown publish, 400 for one that is no ID', async () => {
    const status = await deployment.http.get('/api/ami/scale/status');
    expect([status.status, status.body.error.split(' ')[0]]).toEqual([400, 'tenantId']);
    expect((await deployment.http.get('/api/ami/publish/0190b5e4-7f3a-4c4e-9f4e-1d2c3b4a5f60')).status).toBe(
      404,
    );
    const noId = await deployment.http.get('/api/ami/publish/17');
    expect([noId.status, noId.body.error]).toEqual([
      400,
      expect.stringMatching(/^publishId must be the publishId/),
    ]);
    expect(noId.body.details).toEqual([{ path: 'publishId', message: expect.stringMatching(/^must be/) }]);
    expect((await deployment.http.get('/api/ami/publish/%E0%A4%A')).status).toBe(400);
  });

  it('answers a tenant without data with zeros and nulls', async () => {
    const scale = await deployment.http.get('/api/ami/scale/status?tenantId=NOBODY');
    expect(scale.body).toMatchObject({ ok: true, totalDistinctMeters: 0, totalReads: 0, latestReadAt: null });
    const quickcheck = await deployment.http.get('/api/ami/kpi/quickcheck?tenantId=NOBODY');
    expect(quickcheck.status).toBe(200);
    expect(quickcheck.body).toMatchObject({
      ok: true,
      overview: [],
      loss: { min: null, max: null, avg: null },
    });
    const status = await deployment.http.get('/api/ami/status?tenantId=NOBODY');
    expect(status.body).toMatchObject({ ok: true, lastIngestAt: null, recentJobs: { completed: 0 } });
  });

  it('lets the dashboard’s origin read, no other one, and none write', async () => {
    const from = (origin: string) =>
      deployment.http.get('/api/ami/kpi/quickcheck?tenantId=T').set('Origin', origin);
    const allowed = await from('https://app.gridlensenergy.com');
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.gridlensenergy.com');
    expect(allowed.headers.vary).toContain('Origin');
    expect((await from('https://evil.example.com')).headers['access-control-allow-origin']).toBeUndefined();
    const preflight = await deployment.http
      .options('/api/ami/status')
      .set('Origin', 'https://app.gridlensenergy.com')
      .set('Access-Control-Request-Method', 'GET');
    expect(preflight.status).toBe(204);
    // One that asks about no other request is the route's to answer.
    const plain = await deployment.http
      .options('/api/ami/status')
      .set('Origin', 'https://app.gridlensenergy.com');
    expect([plain.status, plain.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const write = await deployment.http
      .options(path)
      .set('Origin', 'https://app.gridlensenergy.com')
      .set('Access-Control-Request-Method', 'POST');
    expect(write.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('carries security headers and a request ID, keeps a harmless one of the caller’s', async () => {
    const response = await deployment.http.get('/healthz').set('X-Request-Id', 'demo-42');
    expect(response.headers['x-request-id']).toBe('demo-42');
    expect(response.headers['x-powered-by']).toBeUndefined();
    expect(response.headers['x-content-type-options']).toBe('nosniff');
    const odd = await deployment.http.get('/healthz').set('X-Request-Id', 'a b<script>');
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('dry run: 25,000 meters are 50 batches and 50 jobs, and nothing is written anywhere', async () => {
    const before = await written();
    const response = await publish({
      tenantId: 'T',
      meterCount: 25_000,
      batchSize: 500,
      feederCount: 25,
      dryRun: true,
    });
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      ok: true,
      dryRun: true,
      computedMeters: 25_000,
      computedFeederCount: 25,
      computedBatches: 50,
      estimatedJobs: 50,
      estimatedRuntimeSeconds: 10.3,
      safetyWarnings: [],
    });
    expect(await written()).toBe(before);
  });

  it('clamps what is over a cap and says so', async () => {
    const response = await publish({
      tenantId: 'T',
      meterCount: 60_000,
      batchSize: 501,
      feederCount: 41,
      dryRun: true,
    });
    expect(response.body).toMatchObject({
      computedMeters: 25_000,
      computedFeederCount: 40,
      computedBatches: 50,
    });
    expect(response.body.safetyWarnings).toHaveLength(3);
    const truncated = await publish({ tenantId: 'T', meterCount: 25_000, batchSize: 10, dryRun: true });
    expect(truncated.body).toMatchObject({ computedMeters: 2_000, estimatedJobs: 200 });
    expect(truncated.body.safetyWarnings[0]).toContain('from 25000 to 2000');
  });
});

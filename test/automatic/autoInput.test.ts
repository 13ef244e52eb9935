import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';

const T = 'DEMO_TENANT';

describe('what automatic mode is asked', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => new Date('2026-06-01T10:07:00Z'));
  });
  afterAll(() => deployment.close());

  const start = async (body: object, path = 'auto/start') =>
    (await deployment.post(`/api/ami/${path}`, { tenantId: T, ...body })).body;

  it('has the defaults of the brief, and of doc 1 for /start', async () => {
    expect((await start({})).config).toMatchObject({
      meterCount: 25_000,
      feederCount: 25,
      batchSize: 500,
      intervalMinutes: 15,
      catchUpIntervals: 4,
      fleet: 'synthetic',
      timeZone: 'UTC',
      climate: 'us',
      model: 1,
    });
    expect((await start({}, 'start')).config).toMatchObject({ meterCount: 500, feederCount: 25 });
    expect((await start({ meterCount: 40 }, 'start')).config).toMatchObject({ meterCount: 40 });
    const stopped = await deployment.post('/api/ami/stop', { tenantId: T });
    expect(stopped.body).toMatchObject({ ok: true, wasEnabled: true });
    expect((await deployment.http.get(`/api/ami/auto/status?tenantId=${T}`)).body.enabled).toBe(false);
  });

  it('clamps what is over a cap, and says so', async () => {
    expect(
      await start({ meterCount: 60_000, feederCount: 99, batchSize: 900, catchUpIntervals: 500 }),
    ).toMatchObject({
      config: { meterCount: 25_000, feederCount: 40, batchSize: 500, catchUpIntervals: 96 },
      safetyWarnings: [
        'batchSize was lowered from 900 to 500: a job carries at most 500 meters.',
        'feederCount was lowered from 99 to 40: a fleet has between 10 and 40 feeders.',
        'meterCount was lowered from 60000 to 25000: a publish covers at most 25000 meters.',
        'catchUpIntervals was lowered from 500 to 96: catch-up looks back over at most 96 intervals.',
      ],
    });
    expect(await start({ batchSize: 100 })).toMatchObject({
      config: { meterCount: 5_000, batchSize: 100 },
      safetyWarnings: [
        'meterCount was lowered from 25000 to 5000: a tick enqueues at most 50 jobs, of 100 meters each.',
      ],
    });
  });

  it('says when all tenants together are more than the deployment may write', async () => {
    const { database } = deployment;
    await database.pool.query(
      `INSERT INTO ami_auto (tenant_id, enabled, interval_minutes, batch_size, meter_count, feeder_count, fleet, time_zone,
         climate, catch_up_intervals, started_at, changed_at)
       SELECT 'T' || n, true, 15, 500, 25000, 25, 'synthetic', 'UTC', 'us', 4, now(), now() FROM generate_series(1, 87) n`,
    );
    expect((await start({})).safetyWarnings).toEqual([
      'This tenant and the 87 others that run ask for 2,444.4 reads a second, and the deployment writes 2,437.5: intervals will be late, and some left out.',
    ]);
    await database.pool.query(`DELETE FROM ami_auto WHERE tenant_id <> $1`, [T]);
  });

  it.each([
    [{ tenantId: 'a b' }, /^tenantId must be 1 to 64/],
    [{ tenantId: 7 }, /^tenantId must be a string/],
    [{ meterCount: 0 }, /^meterCount must be a positive whole number/],
    [{ meterCount: '25000' }, /^meterCount must be a positive whole number/],
    [{ meterCount: 1.5 }, /^meterCount must be a positive whole number/],
    [{ intervalMinutes: 30 }, /^intervalMinutes must be 15 or 60/],
    [{ catchUpIntervals: 0 }, /^catchUpIntervals must be a positive whole number/],
    [{ catchUpIntervals: -1 }, /^catchUpIntervals must be a positive whole number/],
    [{ fleet: 'mine' }, /^fleet must be "synthetic" or "registry"/],
    [{ timeZone: 'Mars/Olympus' }, /^timeZone must be a time zone/],
    [{ metercount: 5 }, /^metercount is not a field of this request/],
  ])('refuses %j, and leaves what runs as it is', async (body, message) => {
    await start({ meterCount: 40 });
    const answer = await deployment.post('/api/ami/auto/start', { tenantId: T, ...body });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(message);
    expect((await deployment.http.get(`/api/ami/auto/status?tenantId=${T}`)).body.config.meterCount).toBe(40);
  });

  it('refuses bodies that are none, other methods, and callers without the key', async () => {
    const { http } = deployment;
    for (const path of ['start', 'stop', 'auto/start', 'auto/stop']) {
      expect((await http.post(`/api/ami/${path}`).send({ tenantId: T })).status).toBe(401);
      expect((await deployment.post(`/api/ami/${path}`, [])).status).toBe(400);
      expect((await deployment.post(`/api/ami/${path}`, {})).body.error).toMatch(
        /^tenantId must be a string/,
      );
      const got = await http.get(`/api/ami/${path}`);
      expect([got.status, got.headers.allow]).toEqual([405, 'POST, OPTIONS']);
    }
    expect((await http.get('/api/ami/auto/status')).status).toBe(400);
    expect((await http.get('/api/ami/auto/status?tenantId=NOBODY')).body).toMatchObject({
      ok: true,
      enabled: false,
      config: null,
      lastAlignedInterval: '2026-06-01T10:00:00.000Z',
      latestReadAt: null,
      nextRunAt: null,
    });
  });
});

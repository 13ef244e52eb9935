import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { pruneLedger } from '../../src/ledger/pruning.js';
import { type AutoTenant, createAutoTenant, TENANT } from '../support/autoTenant.js';
import { describeOnBothBackends } from '../support/backends.js';
import { waitFor } from '../support/waitFor.js';

describeOnBothBackends('a replay', (backend) => {
  let auto: AutoTenant;
  beforeEach(async () => {
    auto = await createAutoTenant(backend);
  });
  afterEach(() => auto.deployment.close());

  const replay = (from: string, speed: number, body: object = {}) =>
    auto.start({ replay: { from, speed }, ...body });
  const slotNames = async () => (await auto.slots()).map(({ readAt }) => readAt);

  it('goes through the past in its order, as fast as its clock, and on from the present without a gap', async () => {
    await auto.deployment.startWorker();
    const { body } = await replay('2026-06-01T08:00:00Z', 60);
    expect(body).toMatchObject({
      config: { replay: { from: '2026-06-01T08:00:00.000Z', speed: 60 } },
      nextRunAt: '2026-06-01T10:07:00.000Z',
      safetyWarnings: [],
    });
    await auto.settled({ '08:00': 50 });
    // A minute of ours is an hour of its clock.
    auto.setClock('2026-06-01T10:07:59Z');
    await auto.settled({ '08:00': 50, '08:15': 50, '08:30': 50, '08:45': 50 });
    expect(await auto.status()).toMatchObject({
      replay: { speed: 60, clock: '2026-06-01T08:59:00.000Z', nextInterval: '2026-06-01T09:00:00.000Z' },
    });
    // It has caught up: the wall clock's own interval is the last.
    auto.setClock('2026-06-01T10:12:00Z');
    const all = ['08:00', '08:15', '08:30', '08:45', '09:00', '09:15', '09:30', '09:45', '10:00'];
    await auto.settled(Object.fromEntries(all.map((slot) => [slot, 50])));
    await waitFor('the end of the replay', async () => (await auto.status()).replay === null);
    expect(await slotNames()).toEqual(all);
    auto.setClock('2026-06-01T10:15:00.1Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:15:00Z'));
    await waitFor('the next tick', async () => (await auto.slots()).length === 10);
    expect((await auto.slots()).at(-1)).toMatchObject({ readAt: '10:15', origin: 'tick' });
  });

  it('ticks that come meanwhile wait for it', async () => {
    await replay('2026-06-01T09:30:00Z', 1);
    auto.setClock('2026-06-01T10:15:00.1Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:15:00Z'));
    expect(await slotNames()).toEqual(['09:30']);
    await auto.automatic.watch();
    expect(await slotNames()).toEqual(['09:30']);
  });

  it('goes on where it was after an outage, and leaves out nothing', async () => {
    await replay('2026-06-01T06:00:00Z', 900);
    await auto.automatic.pass();
    auto.setClock('2026-06-01T10:07:02Z');
    await auto.automatic.pass();
    expect(await slotNames()).toEqual(['06:00', '06:15', '06:30']);
    auto.setClock('2026-06-01T13:00:00Z');
    await auto.deployment.startWorker();
    await waitFor('all', async () => (await auto.status()).replay === null);
    expect(await slotNames()).toHaveLength(29);
    expect(new Set(await slotNames()).size).toBe(29);
  });

  it('goes over what is there already, and adds what that lacks', async () => {
    await auto.deployment.startWorker();
    await auto.start();
    await auto.settled({ '09:15': 50, '09:30': 50, '09:45': 50, '10:00': 50 });
    await auto.sql(
      `UPDATE ami_publish_batches SET state = 'failed', failure = 'a test' WHERE batch_number = 2`,
    );
    await auto.sql(`DELETE FROM meter_reads_electric WHERE feeder_id IN ('FEEDER_5', 'FEEDER_6')`);
    await replay('2026-06-01T09:00:00Z', 900);
    auto.setClock('2026-06-01T10:07:10Z');
    await waitFor('the end of the replay', async () => (await auto.status()).replay === null);
    await auto.settled({ '09:00': 50, '09:15': 50, '09:30': 50, '09:45': 50, '10:00': 50 });
    expect((await auto.slots()).slice(4).map(({ readAt, meters }) => `${readAt} ${meters}`)).toEqual([
      '09:00 50',
      '09:15 10',
      '09:30 10',
      '09:45 10',
      '10:00 10',
    ]);
  });

  it('says which speed it can hold, beside what other tenants take', async () => {
    const alone = await replay('2026-06-01T08:00:00Z', 900, { meterCount: 25_000, batchSize: 500 });
    expect(alone.body.config.replay.speed).toBe(87);
    expect(alone.body.safetyWarnings).toEqual([
      'replay.speed was lowered from 900 to 87: it asks for 25,000 reads a second, and the deployment writes 2,437.5.',
    ]);
    await auto.start({ tenantId: 'OTHER', meterCount: 25_000, batchSize: 500 });
    const beside = await replay('2026-06-01T08:00:00Z', 900, { meterCount: 25_000, batchSize: 500 });
    expect(beside.body.safetyWarnings[0]).toMatch(/of which other tenants take 27\.8\.$/);
    // The same was asked for: it does not begin anew because another tenant has come.
    expect(beside.body.config.replay).toEqual(alone.body.config.replay);
    // What is replayed takes as many times as much.
    const third = await replay('2026-06-01T08:00:00Z', 80, {
      tenantId: 'THIRD',
      meterCount: 25_000,
      batchSize: 500,
    });
    expect(third.body.config.replay.speed).toBe(1);
  });

  it('that is over does not begin anew when the same is asked for again', async () => {
    await replay('2026-06-01T09:45:00Z', 900);
    auto.setClock('2026-06-01T10:07:10Z');
    await auto.automatic.pass();
    expect(await slotNames()).toEqual(['09:45', '10:00']);
    expect((await replay('2026-06-01T09:45:00Z', 900)).body.config.replay).toBeUndefined();
    expect(await auto.status()).toMatchObject({ replay: null });
    // At the next boundary nobody waits for a tick that was let pass.
    await auto.stop();
    expect((await replay('2026-06-01T09:45:00Z', 900)).body.config.replay).toBeDefined();
  });

  it('that cannot publish says why', async () => {
    await auto.sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ($1, 'F1')`, [TENANT]);
    await auto.sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M1', 'F1')`, [TENANT]);
    await replay('2026-06-01T09:00:00Z', 60, {
      fleet: 'registry',
      meterCount: undefined,
      feederCount: undefined,
    });
    await auto.sql('DELETE FROM meters');
    await auto.automatic.pass();
    await auto.automatic.pass();
    const { waiting } = await auto.status();
    expect(waiting).toMatchObject([{ readAt: '2026-06-01T09:00:00.000Z' }]);
    expect(waiting[0]?.failure).toMatch(/found no meters/);
    const attempts = () => auto.sql('SELECT attempts FROM ami_ticks');
    expect(await attempts()).toEqual([{ attempts: 1 }]);
    // The pause before the next try is kept, though a ledger's retention is shorter than what is replayed is old.
    const prune = (at: string) => pruneLedger(auto.deployment.database.pool, 35, new Date(at), Infinity);
    await prune('2026-08-01T00:00:00Z');
    expect(await attempts()).toEqual([{ attempts: 1 }]);
    await auto.sql(
      `UPDATE ami_auto SET replay_from = NULL, replay_anchor = NULL, replay_speed = NULL, replay_next = NULL`,
    );
    await prune('2026-07-06T08:59:00Z');
    expect(await attempts()).toEqual([{ attempts: 1 }]);
    await prune('2026-07-06T09:01:00Z');
    expect(await attempts()).toEqual([]);
  });

  it('the same replay again changes nothing; a start without one ends it; a stop forgets it', async () => {
    const first = await replay('2026-06-01T08:00:00Z', 60);
    auto.setClock('2026-06-01T10:08:00Z');
    expect((await replay('2026-06-01T08:00:00Z', 60)).body.config).toEqual(first.body.config);
    expect(await auto.status()).toMatchObject({ replay: { clock: '2026-06-01T09:00:00.000Z' } });
    await auto.start({});
    expect(await auto.status()).toMatchObject({ replay: null, enabled: true });
    await replay('2026-06-01T08:00:00Z', 60);
    await auto.stop();
    expect(await auto.status()).toMatchObject({ replay: null, enabled: false });
  });

  it('has events begin, show and end by its clock', async () => {
    await auto.deployment.startWorker();
    await replay('2026-06-01T08:00:00Z', 60);
    await auto.settled({ '08:00': 50 });
    auto.setClock('2026-06-01T10:07:20Z');
    await auto.settled({ '08:00': 50, '08:15': 50 });
    const posted = await auto.deployment.post('/api/ami/event/comms-outage', {
      tenantId: TENANT,
      feederId: 'FEEDER_1',
      durationMinutes: 15,
      severity: 1,
    });
    expect(posted.body.event).toMatchObject({ startAt: '2026-06-01T08:20:00.000Z', state: 'active' });
    auto.setClock('2026-06-01T10:07:40Z');
    await auto.settled({ '08:00': 50, '08:15': 50, '08:30': 45 });
    const { body: status } = await auto.deployment.http.get(`/api/ami/status?tenantId=${TENANT}`);
    expect(status.activeEvents).toEqual([]);
    const { body: list } = await auto.deployment.http.get(`/api/ami/events?tenantId=${TENANT}`);
    expect(list.events).toMatchObject([{ state: 'ended' }]);
    auto.setClock('2026-06-01T10:07:50Z');
    await auto.settled({ '08:00': 50, '08:15': 50, '08:30': 45, '08:45': 50 });
  });
});

/** These leave nothing behind: one deployment is enough for them. */
describeOnBothBackends('a replay', (backend) => {
  let auto: AutoTenant;
  beforeAll(async () => {
    auto = await createAutoTenant(backend);
  });
  afterAll(() => auto.deployment.close());

  it.each([
    [{ from: '2026-06-01T08:07:00Z', speed: 60 }, /^replay.from must lie on a 15-minute boundary/],
    [{ from: '2026-06-01T10:15:00Z', speed: 60 }, /^replay.from must not lie in the future/],
    [{ from: '1999-06-01T10:15:00Z', speed: 60 }, /^replay.from must not lie before the year 2000/],
    [{ from: 'yesterday', speed: 60 }, /^replay.from must be an ISO 8601 instant/],
    [{ from: '2026-06-01T08:00:00Z', speed: 0.5 }, /^replay.speed must be a number from 1 to 900/],
    [{ from: '2026-06-01T08:00:00Z', speed: 901 }, /^replay.speed must be a number from 1 to 900/],
    [{ from: '2026-06-01T08:00:00Z' }, /^replay.speed must be a number from 1 to 900/],
    [{ from: '2026-06-01T08:00:00Z', speed: 60, to: 'now' }, /^to is not a field/],
    ['fast', /^replay must be an object with from and speed/],
  ])('refuses %j', async (wanted, message) => {
    const { status, body } = await auto.start({ replay: wanted });
    expect(status).toBe(400);
    expect(body.error).toMatch(message);
    expect(await auto.status()).toMatchObject({ enabled: false, config: null });
  });
});

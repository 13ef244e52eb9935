import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type AutoTenant, createAutoTenant, TENANT } from '../support/autoTenant.js';
import { describeOnBothBackends } from '../support/backends.js';
import { waitFor } from '../support/waitFor.js';

const FOUR = { '09:15': 50, '09:30': 50, '09:45': 50, '10:00': 50 };

describeOnBothBackends('automatic mode', (backend) => {
  let auto: AutoTenant;
  beforeEach(async () => {
    auto = await createAutoTenant(backend);
  });
  afterEach(() => auto.deployment.close());

  it('fills the last intervals within seconds, the running one first, and publishes each once', async () => {
    await auto.deployment.startWorker();
    const { status, body } = await auto.start();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ok: true,
      mode: 'auto',
      nextRunAt: '2026-06-01T10:15:00.000Z',
      config: { tenantId: TENANT, meterCount: 50, feederCount: 10, intervalMinutes: 15, catchUpIntervals: 4 },
      safetyWarnings: [],
    });
    await auto.settled(FOUR);
    expect(await auto.slots()).toEqual(
      ['10:00', '09:45', '09:30', '09:15'].map((readAt) => ({
        readAt,
        origin: 'catch-up',
        background: readAt !== '10:00',
        meters: 50,
      })),
    );
    // A batch is in the ledger before its job has left the queue.
    await waitFor('an empty queue', async () => (await auto.status()).queue.active === 0);
    expect(await auto.status()).toMatchObject({
      ok: true,
      enabled: true,
      lastAlignedInterval: '2026-06-01T10:00:00.000Z',
      latestReadAt: '2026-06-01T10:00:00.000Z',
      nextRunAt: '2026-06-01T10:15:00.000Z',
      waiting: [],
      missed: null,
      queue: { waiting: 0, delayed: 0, active: 0 },
    });
    expect(await auto.deployment.context.ticks.tenants()).toEqual([TENANT]);
  });

  it('publishes a tick at its boundary, as a tick, once for however many come', async () => {
    await auto.deployment.startWorker();
    await auto.start();
    await auto.settled(FOUR);
    auto.setClock('2026-06-01T10:15:00.050Z');
    const slot = new Date('2026-06-01T10:15:00Z');
    await Promise.all(Array.from({ length: 20 }, () => auto.automatic.tick(TENANT, slot)));
    await auto.settled({ ...FOUR, '10:15': 50 });
    expect((await auto.slots()).slice(4)).toEqual([
      { readAt: '10:15', origin: 'tick', background: false, meters: 50 },
    ]);
  });

  it('does without the tick of a scheduler that was lost, but waits ten seconds for it', async () => {
    await auto.start({ catchUpIntervals: 1 });
    await auto.automatic.pass();
    auto.setClock('2026-06-01T10:15:09.900Z');
    await auto.automatic.pass();
    expect(await auto.slots()).toHaveLength(1);
    auto.setClock('2026-06-01T10:15:10Z');
    await auto.automatic.pass();
    expect((await auto.slots())[1]).toMatchObject({ readAt: '10:15', origin: 'catch-up', background: false });
  });

  it('a tick from a machine whose clock is ahead is published, one from before an outage left to catch-up', async () => {
    await auto.start({ catchUpIntervals: 1 });
    await auto.automatic.pass();
    auto.setClock('2026-06-01T10:14:59.800Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:15:00Z'));
    await auto.automatic.tick(TENANT, new Date('2026-06-01T09:30:00Z'));
    expect((await auto.slots()).map(({ readAt, origin }) => `${readAt} ${origin}`)).toEqual([
      '10:00 catch-up',
      '10:15 tick',
    ]);
  });

  it('starting again changes nothing with the same settings, and publishes what others add', async () => {
    await auto.deployment.startWorker();
    const first = await auto.start();
    await auto.settled(FOUR);
    auto.setClock('2026-06-01T10:08:00Z');
    const again = await auto.start();
    expect(again.body).toEqual(first.body);
    const larger = await auto.start({ meterCount: 70 });
    expect(larger.body.config).toMatchObject({ meterCount: 70, startedAt: first.body.config.startedAt });
    await auto.settled({ '09:15': 70, '09:30': 70, '09:45': 70, '10:00': 70 });
    // Fewer meters: what was published for more is more than enough.
    const publishes = (await auto.slots()).length;
    await auto.start({ meterCount: 20 });
    await auto.automatic.pass();
    expect(await auto.slots()).toHaveLength(publishes);
    expect((await auto.status()).waiting).toEqual([]);
  });

  it('takes a publish by hand for what it is, and adds what that left out', async () => {
    await auto.deployment.startWorker();
    const byHand = async (readAt: string, meterCount: number) =>
      auto.deployment.post('/api/ami/publish-once', {
        tenantId: TENANT,
        meterCount,
        feederCount: 10,
        readAt,
      });
    await byHand('2026-06-01T10:00:00Z', 50);
    await byHand('2026-06-01T09:45:00Z', 20);
    await auto.start();
    await auto.settled(FOUR);
    expect((await auto.slots()).map(({ readAt, origin, meters }) => `${readAt} ${origin} ${meters}`)).toEqual(
      ['10:00 manual 50', '09:45 manual 20', '09:45 catch-up 50', '09:30 catch-up 50', '09:15 catch-up 50'],
    );
  });

  it('publishes failed batches again, and those alone, after a pause that grows', async () => {
    await auto.deployment.startWorker();
    await auto.start({ catchUpIntervals: 1 });
    await auto.settled({ '10:00': 50 });
    await auto.sql(`DELETE FROM meter_reads_electric WHERE meter_id IN (
      SELECT meter_id FROM meter_reads_electric ORDER BY feeder_id, meter_id LIMIT 10)`);
    await auto.sql(
      `UPDATE ami_publish_batches SET state = 'failed', failure = 'a test' WHERE batch_number IN (2, 3)`,
    );
    await auto.automatic.watch();
    expect(await auto.slots(), 'within a minute of the first').toHaveLength(1);
    await auto.sql(`UPDATE ami_publishes SET accepted_at = accepted_at - interval '61 s'`);
    await waitFor(
      'the repair',
      async () => (await auto.automatic.watch()) && (await auto.slots()).length > 1,
    );
    expect((await auto.slots()).slice(1)).toEqual([
      { readAt: '10:00', origin: 'catch-up', background: false, meters: 20 },
    ]);
  });

  it('publishes reads again that somebody deleted, once, also when an outage swallows them then', async () => {
    await auto.deployment.startWorker();
    await auto.start({ catchUpIntervals: 2 });
    await auto.settled({ '09:45': 50, '10:00': 50 });
    await auto.sql(`DELETE FROM meter_reads_electric WHERE feeder_id = 'FEEDER_3'`);
    await auto.deployment.post('/api/ami/event/comms-outage', {
      tenantId: TENANT,
      feederId: 'FEEDER_3',
      durationMinutes: 60,
      severity: 1,
    });
    const repair = async () => {
      await auto.sql(`UPDATE ami_publishes SET accepted_at = accepted_at - interval '1 h'`);
      return auto.automatic.watch();
    };
    await waitFor('the repair', async () => (await repair()) && (await auto.slots()).length === 4);
    await auto.settled({ '09:45': 50, '10:00': 45 });
    await repair();
    await repair();
    expect(await auto.slots()).toHaveLength(4);
  });

  it('stops: no tick, no catch-up, no scheduler; and starts again', async () => {
    await auto.deployment.startWorker();
    await auto.start();
    await auto.settled(FOUR);
    expect((await auto.stop()).body).toMatchObject({ ok: true, wasEnabled: true });
    expect((await auto.stop()).body).toMatchObject({ ok: true, wasEnabled: false });
    expect((await auto.stop('NOBODY')).body).toMatchObject({ ok: true, wasEnabled: false });
    expect(await auto.deployment.context.ticks.tenants()).toEqual([]);
    auto.setClock('2026-06-01T10:15:30Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:15:00Z'));
    await auto.automatic.pass();
    await auto.automatic.watch();
    expect(await auto.reads()).toEqual(FOUR);
    expect(await auto.status()).toMatchObject({
      enabled: false,
      nextRunAt: null,
      config: { meterCount: 50 },
    });
    await auto.start();
    await auto.settled({ ...FOUR, '10:15': 50 });
  });

  it('hourly tenants have hours; quarter hours are not put into an hour that was published whole', async () => {
    await auto.deployment.startWorker();
    await auto.start({ tenantId: 'HOURS', intervalMinutes: 60, catchUpIntervals: 3 });
    await auto.settled({ '08:00': 50, '09:00': 50, '10:00': 50 }, 'HOURS');
    auto.setClock('2026-06-01T10:31:00Z');
    const quarters = await auto.start({ tenantId: 'HOURS', intervalMinutes: 15, catchUpIntervals: 8 });
    expect(quarters.body.safetyWarnings).toEqual([
      'The hour from 2026-06-01T10:00:00.000Z on has been published in intervals of 60 minutes: those of 15 begin at 2026-06-01T11:00:00.000Z.',
    ]);
    await waitFor('all to be settled', async () => (await auto.status('HOURS')).waiting.length === 0);
    auto.setClock('2026-06-01T10:45:00.1Z');
    await auto.automatic.tick('HOURS', new Date('2026-06-01T10:45:00Z'));
    auto.setClock('2026-06-01T11:00:00.1Z');
    await auto.automatic.tick('HOURS', new Date('2026-06-01T11:00:00Z'));
    await auto.settled({ '08:00': 50, '09:00': 50, '10:00': 50, '11:00': 50 }, 'HOURS');
    expect(await auto.status('HOURS')).toMatchObject({ waiting: [], missed: null });
  });

  it('does not fill in what retention would drop at once', async () => {
    await auto.deployment.close();
    auto = await createAutoTenant(backend, { READS_RETENTION_DAYS: '1' });
    await auto.start({ intervalMinutes: 60, catchUpIntervals: 96 });
    for (const { readAt } of (await auto.status()).waiting)
      expect(Date.parse(readAt)).toBeGreaterThan(Date.parse('2026-05-31T10:07:00Z'));
    expect((await auto.status()).waiting).toHaveLength(24);
  });

  it('goes on owing what it has once found missing, although it would not look as far back any more', async () => {
    await auto.start({ catchUpIntervals: 2 });
    const { queue } = auto.deployment.context;
    vi.spyOn(queue, 'counts').mockResolvedValue({ ...(await queue.counts()), waiting: 500 });
    await auto.automatic.pass();
    auto.setClock('2026-06-01T14:07:00Z');
    vi.restoreAllMocks();
    await auto.deployment.startWorker();
    const all = { '09:45': 50, '10:00': 50, '13:45': 50, '14:00': 50 };
    await auto.settled(all);
    expect(await auto.status()).toMatchObject({ waiting: [], missed: { intervals: 14 } });
  });

  it('a tenant whose registry cannot be read does not keep the others waiting', async () => {
    await auto.sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ('A_REGISTRY', 'F1')`);
    await auto.sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ('A_REGISTRY', 'M1', 'F1')`);
    await auto.start({
      tenantId: 'A_REGISTRY',
      fleet: 'registry',
      meterCount: undefined,
      feederCount: undefined,
    });
    await auto.start({ catchUpIntervals: 2 });
    const blocker = await auto.deployment.database.pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query('LOCK TABLE meters');
      await auto.deployment.startWorker();
      await auto.settled({ '09:45': 50, '10:00': 50 });
      const { waiting } = await auto.status('A_REGISTRY');
      expect(waiting.map(({ failure }) => failure)).toContainEqual(expect.stringMatching(/not looked up/));
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    auto.setClock('2026-06-01T10:08:00Z');
    await auto.settled({ '09:15': 1, '09:30': 1, '09:45': 1, '10:00': 1 }, 'A_REGISTRY');
  });

  it('repairs a publish by hand with no more jobs than a tick has', async () => {
    await auto.deployment.post('/api/ami/publish-once', {
      tenantId: TENANT,
      meterCount: 180,
      feederCount: 10,
      batchSize: 1,
    });
    await auto.sql(
      `UPDATE ami_publish_batches SET state = 'failed', failure = 'a test' WHERE batch_number % 2 = 0`,
    );
    await auto.start({ catchUpIntervals: 1 });
    await auto.automatic.pass();
    const rows = await auto.sql(
      `SELECT batch_count, range_from, range_to FROM ami_publishes WHERE origin = 'catch-up'`,
    );
    expect(rows).toEqual([{ batch_count: 45, range_from: 0, range_to: 179 }]);
  });

  it('publishes nothing by settings that were replaced while it looked', async () => {
    await auto.start({ catchUpIntervals: 1 });
    const { queue } = auto.deployment.context;
    const counts = await queue.counts();
    vi.spyOn(queue, 'counts').mockImplementation(async () => {
      vi.restoreAllMocks();
      auto.setClock('2026-06-01T10:07:01Z');
      const changed = await auto.start({ meterCount: 60, catchUpIntervals: 1 });
      expect(changed.status).toBe(200);
      return counts;
    });
    await auto.automatic.pass();
    expect(await auto.slots()).toEqual([]);
    await auto.automatic.pass();
    expect(await auto.slots()).toMatchObject([{ readAt: '10:00', meters: 60 }]);
  });

  it('does not call missed what a backfill or a publish by hand has filled, and does what failed', async () => {
    await auto.deployment.startWorker();
    await auto.start({ catchUpIntervals: 1 });
    await auto.settled({ '10:00': 50 });
    auto.setClock('2026-06-01T12:07:00Z');
    await auto.settled({ '10:00': 50, '12:00': 50 });
    const missed = async () => ((await auto.status()).missed as { intervals: number } | null)?.intervals;
    expect(await missed()).toBe(7);
    for (const readAt of ['2026-06-01T10:15:00Z', '2026-06-01T10:30:00Z'])
      await auto.deployment.post('/api/ami/publish-once', { tenantId: TENANT, meterCount: 50, readAt });
    await auto.settled({ '10:00': 50, '10:15': 50, '10:30': 50, '12:00': 50 });
    expect(await missed()).toBe(5);
    await auto.sql(`UPDATE ami_publish_batches batch SET state = 'failed', failure = 'a test' FROM ami_publishes publish
      WHERE publish.publish_id = batch.publish_id AND read_at = '2026-06-01T10:30:00Z'`);
    expect(await missed()).toBe(6);
  });

  it('counts what it has missed for longer than it looks back', async () => {
    await auto.deployment.startWorker();
    await auto.start({ catchUpIntervals: 2 });
    await auto.settled({ '09:45': 50, '10:00': 50 });
    auto.setClock('2026-06-01T12:07:00Z');
    await auto.settled({ '09:45': 50, '10:00': 50, '11:45': 50, '12:00': 50 });
    expect(await auto.status()).toMatchObject({
      missed: {
        intervals: 6,
        first: '2026-06-01T10:15:00.000Z',
        last: '2026-06-01T11:30:00.000Z',
      },
    });
  });

  it('a registry that is empty is refused at the start, and shown when it becomes so', async () => {
    const { status, body } = await auto.start({ fleet: 'registry', meterCount: undefined });
    expect([status, body.code]).toEqual([400, 'registry_empty']);
    await auto.sql(`INSERT INTO feeders (tenant_id, feeder_id) VALUES ($1, 'F1')`, [TENANT]);
    await auto.sql(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M1', 'F1'), ($1, 'M2', 'F1')`,
      [TENANT],
    );
    await auto.deployment.startWorker();
    await auto.start({
      fleet: 'registry',
      meterCount: undefined,
      feederCount: undefined,
      catchUpIntervals: 1,
    });
    await auto.settled({ '10:00': 2 });
    await auto.sql(`INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ($1, 'M3', 'F1')`, [TENANT]);
    auto.setClock('2026-06-01T10:15:01Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:15:00Z'));
    await auto.settled({ '10:00': 2, '10:15': 3 });
    await auto.sql('DELETE FROM meters');
    auto.setClock('2026-06-01T10:30:01Z');
    await auto.automatic.tick(TENANT, new Date('2026-06-01T10:30:00Z'));
    const { waiting } = await auto.status();
    expect(waiting).toMatchObject([{ readAt: '2026-06-01T10:30:00.000Z' }]);
    expect(waiting[0]?.failure).toMatch(/found no meters for tenant DEMO_TENANT/);
  });
});

import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

const OLD = '2026-06-01T09:45:00Z';
const NEW = '2026-06-01T10:00:00Z';

describeOnBothBackends('the model of an interval', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
    pilot.setClock(NOW);
    await pilot.deployment.startWorker();
  });
  afterEach(() => pilot.deployment.close());

  const ledger = async () =>
    (
      await pilot.deployment.database.pool.query(
        'SELECT origin, model, place, customers, der, network FROM ami_publishes ORDER BY accepted_at, read_at',
      )
    ).rows;
  const energy = async (readAt: string) =>
    [...(await pilot.reads(readAt)).values()].map(({ meterId, kwh, deliveredKwh }) => [
      meterId,
      kwh,
      deliveredKwh,
    ]);

  it('is that of its own publish in every revision, whatever the tenant has moved to since', async () => {
    const fleet = { meterCount: 100, feederCount: 10, batchSize: 50 };
    await pilot.publishAndFinish({ ...fleet, readAt: OLD });
    const before = await energy(OLD);
    await pilot.publishAndFinish({
      ...fleet,
      readAt: NEW,
      model: 2,
      place: 'germany',
      customers: { industrial: 0.02 },
      der: { pv: 0.5, battery: 0.1 },
    });
    // A sag of the old interval alone: its revision writes each read of the feeder anew.
    const sag = await pilot.event('voltage-sag', {
      ...{ applyNow: true, startAt: OLD, durationMinutes: 15 },
    });
    expect(sag.status).toBe(201);
    await pilot.finished(sag.body.revision.publishId);
    const sagged = [...(await pilot.reads(OLD)).values()].filter(({ voltage }) => voltage < 114);
    expect(sagged).toHaveLength(10);
    expect(await energy(OLD)).toEqual(before);
    const first = { model: 1, place: null, customers: {}, der: {}, network: {} };
    expect(await ledger()).toEqual([
      { origin: 'manual', ...first },
      {
        ...{ origin: 'manual', model: 2, place: 'germany', customers: { industrial: 0.02 } },
        ...{ der: { pv: 0.5, battery: 0.1 }, network: {} },
      },
      { origin: 'revision', ...first },
    ]);
  });

  it('stays with a tenant until it asks for another, and refuses a climate beside it', async () => {
    const fleet = { meterCount: 20, feederCount: 10 };
    await pilot.publishAndFinish({ ...fleet, readAt: OLD, model: 2, place: 'uk' });
    await pilot.publishAndFinish({ ...fleet, readAt: NEW });
    await pilot.publishAndFinish({ ...fleet, readAt: NEW, place: 'uk', onConflict: 'update' });
    expect((await ledger()).map(({ model, place }) => [model, place])).toEqual([
      [2, 'uk'],
      [2, 'uk'],
      [2, 'uk'],
    ]);
    const { post } = pilot.deployment;
    const refused = await post('/api/ami/publish-once', { tenantId: TENANT, place: 'uk', climate: 'us' });
    expect(refused.status).toBe(400);
    expect(refused.body.error).toBe('climate must be left out: model 2 has one, and place uk implies it.');
    const started = await post('/api/ami/auto/start', {
      ...{ tenantId: TENANT, ...fleet, der: { ev: 0.2 } },
      customers: { commercial: 0.3 },
    });
    expect(started.body.config).toMatchObject({
      model: 2,
      place: 'uk',
      customers: { commercial: 0.3 },
      der: { ev: 0.2 },
      timeZone: 'Europe/London',
    });
    const backfill = { tenantId: TENANT, from: '2026-06-01T09:00:00Z', to: OLD };
    const accepted = await post('/api/ami/backfill', backfill);
    expect(accepted.status).toBe(202);
    const { rows } = await pilot.deployment.database.pool.query(
      'SELECT model, place, customers, der, network, time_zone FROM ami_backfills',
    );
    expect(rows).toEqual([
      {
        ...{ model: 2, place: 'uk', customers: { commercial: 0.3 }, der: { ev: 0.2 }, network: {} },
        time_zone: 'Europe/London',
      },
    ]);
    const other = await post('/api/ami/backfill', { ...backfill, der: {} });
    expect(other.body.backfillId).not.toBe(accepted.body.backfillId);
    const first = await post('/api/ami/auto/start', { tenantId: TENANT, ...fleet, model: 1 });
    expect(first.body.config).toMatchObject({ model: 1, climate: 'us', timeZone: 'UTC' });
    expect(first.body.config).not.toHaveProperty('place');
  });

  it('is the third where a place alone is named, and the second of a tenant that has run with it, also between', async () => {
    const fleet = { meterCount: 20, feederCount: 10 };
    const body = { ...fleet, readAt: NEW, place: 'uk', onConflict: 'update' };
    // The automatic mode publishes beside it.
    const latest = async () => (await ledger()).filter(({ origin }) => origin === 'manual').at(-1).model;
    await pilot.publishAndFinish({ ...body, tenantId: 'NEWCOMER' });
    expect(await latest()).toBe(3);
    await pilot.publishAndFinish({ ...body, model: 2 });
    const before = await energy(NEW);
    await pilot.publishAndFinish({ ...fleet, readAt: OLD, model: 1 });
    await pilot.publishAndFinish(body);
    expect(await latest()).toBe(2);
    expect(await energy(NEW)).toEqual(before);
    const { post } = pilot.deployment;
    const started = await post('/api/ami/auto/start', { tenantId: TENANT, ...fleet, model: 1 });
    expect(started.status).toBe(200);
    const backfill = { tenantId: TENANT, from: '2026-06-01T09:00:00Z', to: OLD };
    expect((await post('/api/ami/backfill', { ...backfill, place: 'uk' })).status).toBe(202);
    const { rows } = await pilot.deployment.database.pool.query('SELECT model, place FROM ami_backfills');
    expect(rows).toEqual([{ model: 2, place: 'uk' }]);
    const third = await post('/api/ami/auto/start', { tenantId: TENANT, ...fleet, model: 3, place: 'uk' });
    expect(third.body.config).toMatchObject({ model: 3, place: 'uk' });
    await pilot.publishAndFinish(body);
    expect(await latest()).toBe(3);
    expect(await energy(NEW)).not.toEqual(before);
  });

  it('is that of the part that is there when the rest of an interval is made', async () => {
    const fleet = { tenantId: TENANT, meterCount: 40, feederCount: 10, batchSize: 20 };
    await pilot.publishAndFinish({ ...fleet, readAt: NEW });
    const before = await energy(NEW);
    await pilot.deployment.database.pool.query(
      `DELETE FROM meter_reads_electric WHERE feeder_id = 'FEEDER_7'`,
    );
    await pilot.deployment.post('/api/ami/auto/start', { ...fleet, place: 'uk', catchUpIntervals: 1 });
    await waitFor('the reads that are gone', async () => (await energy(NEW)).length === 40);
    expect(await energy(NEW)).toEqual(before);
    expect((await ledger()).map(({ origin, model }) => [origin, model])).toEqual([
      ['manual', 1],
      ['catch-up', 1],
    ]);
  });
});

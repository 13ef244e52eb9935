import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withTransaction } from '../../src/db/db.js';
import { lockAdmission } from '../../src/pacing/pacingRow.js';
import { runUpkeep } from '../../src/upkeep/upkeep.js';
import { deployBudget } from '../support/answerBudget.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

describeOnBothBackends('event routes', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
  });
  afterEach(() => pilot.deployment.close());

  const get = (path: string) => pilot.deployment.http.get(`/api/ami${path}`);
  const stop = (id: string) => pilot.deployment.post(`/api/ami/event/${id}/stop`, {});
  const list = async (query = '') => (await get(`/events?tenantId=${TENANT}${query}`)).body.events;
  const query = (sql: string) => pilot.deployment.database.pool.query(sql);

  it('an event is answered, listed and kept as it was posted', async () => {
    const answer = await pilot.event('voltage-sag', { severity: 0.25 });
    expect(answer.status).toBe(201);
    const event = {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      tenantId: TENANT,
      feederId: 'FEEDER_7',
      eventType: 'voltage-sag',
      severity: 0.25,
      startAt: NOW.toISOString(),
      endAt: '2026-06-01T11:07:00.000Z',
      isActive: true,
      state: 'active',
      meterIds: null,
      meterFraction: null,
      stoppedAt: null,
      createdAt: expect.any(String),
    };
    expect(answer.body).toEqual({ ok: true, event, safetyWarnings: [] });
    expect(await list()).toEqual([answer.body.event]);
    expect((await get('/events?tenantId=ANOTHER')).body).toEqual({
      ok: true,
      tenantId: 'ANOTHER',
      events: [],
    });
    expect((await get(`/status?tenantId=${TENANT}`)).body.activeEvents).toEqual([
      {
        id: answer.body.event.id,
        feederId: 'FEEDER_7',
        eventType: 'voltage-sag',
        severity: 0.25,
        startAt: event.startAt,
        endAt: event.endAt,
      },
    ]);
    const other = (
      await pilot.event('theft', {
        feederId: 'Umspannwerk Köln/3',
        severity: undefined,
        startAt: '2026-06-01T12:00:00+02:00',
        meterIds: ['b', 'a'],
      })
    ).body.event;
    expect(other).toMatchObject({
      feederId: 'Umspannwerk Köln/3',
      severity: 0.5,
      startAt: '2026-06-01T10:00:00.000Z',
      meterIds: ['b', 'a'],
    });
    expect((await pilot.event('theft', { meterFraction: 0.1 })).body.event.meterFraction).toBe(0.1);
    expect((await list()).map((one: { feederId: string }) => one.feederId)).toEqual([
      'FEEDER_7',
      'FEEDER_7',
      'Umspannwerk Köln/3',
    ]);
  });

  it('with applyNow the answer says which publish revises what', async () => {
    await pilot.publish({ batchSize: 30 });
    const { status, body } = await pilot.event('theft', { applyNow: true });
    expect(status).toBe(201);
    expect(body.safetyWarnings).toEqual([]);
    expect(body.revision).toEqual({
      publishId: expect.any(String),
      readAt: '2026-06-01T10:00:00.000Z',
      intervalStart: '2026-06-01T10:00:00.000Z',
      intervalEnd: '2026-06-01T10:15:00.000Z',
      enqueuedJobs: 2,
      computedMeters: 50,
      estimatedRuntimeSeconds: expect.any(Number),
    });
    expect((await get(`/publish/${body.revision.publishId}`)).body).toMatchObject({
      origin: 'revision',
      state: 'queued',
      batches: { total: 2 },
    });
  });

  it('revises the interval that the event overlaps as the publish made it whose reads are there', async () => {
    await pilot.publish({ readAt: '2026-06-01T09:30:00Z', seed: 'old' });
    await pilot.publish({ seed: 'few', meterCount: 400 });
    await pilot.publish({ seed: 'first' });
    await pilot.publish({ seed: 'second' });
    const revised = async (body: object) => {
      const answer = await pilot.event('theft', { applyNow: true, ...body });
      const { rows } = await query(
        `SELECT seed, range_from, range_to, meter_count FROM ami_publishes WHERE publish_id = '${answer.body.revision.publishId}'`,
      );
      return { ...rows[0], warnings: answer.body.safetyWarnings };
    };
    const range = { range_from: 300, range_to: 350, meter_count: 500 };
    expect(await revised({})).toEqual({ seed: 'first', ...range, warnings: [] });
    expect(await revised({ startAt: '2026-06-01T09:00:00Z', durationMinutes: 50 })).toEqual({
      seed: 'old',
      ...range,
      warnings: [expect.stringContaining('Only the interval 2026-06-01T09:30:00.000Z is revised')],
    });
    await pilot.publish({ seed: 'third', onConflict: 'update' });
    expect(await revised({})).toEqual({ seed: 'third', ...range, warnings: [] });
  });

  it('without anything to revise it says so, and creates the event', async () => {
    const none = await pilot.event('theft', { applyNow: true });
    expect([none.status, none.body.revision]).toEqual([201, null]);
    expect(none.body.safetyWarnings[0]).toMatch(/^Nothing has been published for DEMO_TENANT yet/);
    await pilot.publish();
    pilot.setClock(new Date('2026-06-01T10:17:00Z'));
    for (const body of [{}, { startAt: '2026-06-01T10:20:00Z' }]) {
      const early = await pilot.event('theft', { applyNow: true, ...body });
      expect([early.status, early.body.revision]).toEqual([201, null]);
      expect(early.body.safetyWarnings).toEqual([
        'The interval 2026-06-01T10:15:00.000Z has not been published yet, so nothing is revised; the event shows in it when it is.',
      ]);
    }
    expect(await pilot.count('ami_events')).toBe(3);
  });

  it('a feeder that the fleet does not have is refused with applyNow, else warned of; so are meters elsewhere', async () => {
    expect((await pilot.event('theft', { feederId: 'FEEDER_11' })).body.safetyWarnings).toEqual([]);
    await pilot.publish();
    const refused = await pilot.event('theft', { feederId: 'FEEDER_11', applyNow: true });
    expect([refused.status, refused.body.error]).toEqual([
      400,
      expect.stringMatching(/^feederId must be one of FEEDER_1 to FEEDER_10, /),
    ]);
    expect(await pilot.count('ami_events')).toBe(1);
    const warnings = async (body: object) => (await pilot.event('theft', body)).body.safetyWarnings;
    expect(await warnings({ feederId: 'FEEDER_11' })).toEqual([
      expect.stringContaining('not one of FEEDER_1 to FEEDER_10'),
    ]);
    const [here, there] = [`${TENANT}-MTR-00007`, `${TENANT}-MTR-00008`];
    expect(await warnings({ meterIds: [here] })).toEqual([]);
    expect(await warnings({ meterIds: [here, there] })).toEqual([
      expect.stringMatching(/^Only 1 of the 2 meterIds is on FEEDER_7/),
    ]);
    expect(await warnings({ meterIds: [there] })).toEqual([
      expect.stringMatching(/^None of the meterIds is on FEEDER_7/),
    ]);
  });

  it('a duration over 30 days is clamped, and says so', async () => {
    const { body } = await pilot.event('theft', { durationMinutes: 50_000 });
    expect(body.event.endAt).toBe('2026-07-01T10:07:00.000Z');
    expect(body.safetyWarnings).toEqual([
      'durationMinutes was lowered from 50000 to 43200: an event lasts at most 30 days.',
    ]);
  });

  it('is ended early once, however often and by however many', async () => {
    const { id } = (await pilot.event('theft')).body.event;
    pilot.setClock(new Date('2026-06-01T10:20:00Z'));
    const answers = await Promise.all(Array.from({ length: 5 }, () => stop(id)));
    pilot.setClock(new Date('2026-06-01T10:25:00Z'));
    for (const answer of [...answers, await stop(id)]) {
      expect(answer.status).toBe(200);
      expect(answer.body.event).toMatchObject({
        id,
        endAt: '2026-06-01T10:20:00.000Z',
        stoppedAt: '2026-06-01T10:20:00.000Z',
        isActive: false,
        state: 'ended',
      });
    }
    const ahead = (await pilot.event('theft', { startAt: '2026-06-01T11:00:00Z' })).body.event;
    expect(ahead).toMatchObject({ isActive: false, state: 'scheduled' });
    expect((await stop(ahead.id)).body.event).toMatchObject({
      startAt: '2026-06-01T11:00:00.000Z',
      endAt: '2026-06-01T11:00:00.000Z',
      isActive: false,
      state: 'ended',
    });
    const over = (await pilot.event('theft', { startAt: '2026-06-01T09:00:00Z' })).body.event;
    expect((await stop(over.id)).body.event).toEqual(over);
    const unknown = await stop(randomUUID());
    expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found']);
    for (const id of ['17', 'theft'])
      expect((await stop(id)).body).toMatchObject({ ok: false, error: expect.stringMatching(/^id must be/) });
    expect((await pilot.deployment.http.post(`/api/ami/event/${ahead.id}/stop`)).status).toBe(401);
    expect((await get(`/event/${ahead.id}/stop`)).headers.allow).toBe('POST, OPTIONS');
  });

  it('is over when its time has come; the table says so after the next upkeep', async () => {
    await pilot.event('theft', { durationMinutes: 5 });
    await pilot.event('voltage-sag');
    const types = async (active: boolean) =>
      (await list(`&active=${active}`)).map((one: { eventType: string }) => one.eventType);
    expect([await types(true), await types(false)]).toEqual([['voltage-sag', 'theft'], []]);
    const later = new Date('2026-06-01T10:12:00Z');
    pilot.setClock(later);
    expect([await types(true), await types(false)]).toEqual([['voltage-sag'], ['theft']]);
    expect((await get(`/status?tenantId=${TENANT}`)).body.activeEvents).toHaveLength(1);
    const { database, queue } = pilot.deployment.context;
    const upkeep = {
      database,
      queue,
      readsRetentionDays: undefined,
      ledgerRetentionDays: 35,
      now: () => later,
    };
    expect(await runUpkeep(upkeep)).toMatchObject({ eventsExpired: 1 });
    expect(await runUpkeep(upkeep)).toMatchObject({ eventsExpired: 0 });
    const { rows } = await query('SELECT event_type FROM ami_events WHERE is_active');
    expect(rows).toEqual([{ event_type: 'voltage-sag' }]);
  });

  it('429 with applyNow leaves no event behind', async () => {
    for (let round = 0; round < 10; round += 1) await pilot.publish({ meterCount: 5_000 });
    const refused = await Promise.all(
      Array.from({ length: 3 }, () => pilot.event('theft', { applyNow: true })),
    );
    for (const { status, body } of refused) {
      expect([status, body.error]).toEqual([429, 'Backpressure: queue too deep']);
    }
    expect(await pilot.count('ami_events')).toBe(0);
    expect(await pilot.count('ami_publishes')).toBe(10);
    expect((await pilot.event('theft')).status).toBe(201);
  });

  it('one request that cannot be written does not take others of its group with it', async () => {
    await pilot.publish();
    await query(`ALTER TABLE ami_events ADD CONSTRAINT no_feeder_eight CHECK (feeder_id <> 'FEEDER_8')`);
    const answers = await Promise.all(
      [7, 8, 9, 8, 7].map((feeder) => pilot.event('theft', { feederId: `FEEDER_${feeder}`, applyNow: true })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 500, 201, 500, 201]);
    expect(await pilot.count('ami_events')).toBe(3);
    const { rows } = await query(
      `SELECT count(*)::integer AS n FROM ami_publishes WHERE origin = 'revision'`,
    );
    expect(rows[0].n).toBe(3);
  });

  it('revises the interval that was published while it waited to be admitted', async () => {
    await pilot.publish();
    const { pool } = pilot.deployment.database;
    const { waiting } = await withTransaction(pool, async (client) => {
      await lockAdmission(client);
      const posted = pilot.event('theft', { applyNow: true }).then((answer) => answer);
      await waitFor('the event to wait', async () => {
        const { rowCount } = await query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        return rowCount === 1;
      });
      await client.query(
        `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
           feeder_count, batch_size, batch_count, on_conflict, range_to)
         SELECT gen_random_uuid(), tenant_id, 'tick', read_at + interval '15 min', interval_minutes, seed, meter_count,
           feeder_count, batch_size, batch_count, on_conflict, range_to FROM ami_publishes`,
      );
      return { waiting: posted };
    });
    const answer = await waiting;
    expect([answer.status, answer.body.revision?.readAt]).toEqual([201, '2026-06-01T10:15:00.000Z']);
    expect(await pilot.count('ami_events')).toBe(1);
  });

  it('503 in doubt says where to look before the event is repeated', async () => {
    deployBudget();
    await pilot.publish();
    const answer = await withTransaction(pilot.deployment.database.pool, async (client) => {
      await lockAdmission(client);
      return pilot.event('theft', { applyNow: true });
    });
    expect([answer.status, answer.body.error]).toEqual([
      503,
      expect.stringContaining('GET /api/ami/events?tenantId=… shows whether the event was created'),
    ]);
    expect(await pilot.count('ami_events')).toBe(0);
  });
});

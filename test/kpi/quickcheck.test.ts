import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';
import { differenceQuery, KPI_VIEWS } from '../support/plainKpis.js';
import { waitFor } from '../support/waitFor.js';

const READ_AT = '2026-06-01T10:00:00.000Z';
const EARLIER = '2026-06-01T09:45:00.000Z';
const VIEWS = Object.keys(KPI_VIEWS) as (keyof typeof KPI_VIEWS)[];

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, as a dashboard would
type Answer = any;

describeOnBothBackends('quickcheck', (backend) => {
  let pilot: Pilot;
  beforeAll(async () => {
    pilot = await createPilot(backend);
    await pilot.deployment.startWorker();
  });
  afterAll(() => pilot.deployment.close());
  beforeEach(async () => {
    pilot.setClock(NOW);
    await pilot.forgetAll();
  });

  const quickcheck = async (): Promise<Answer> => {
    const answer = await pilot.deployment.http.get(`/api/ami/kpi/quickcheck?tenantId=${TENANT}`);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const others = (answer: Answer) =>
    answer.latestFeeders.filter((feeder: Answer) => feeder.feederId !== 'FEEDER_7');
  const feeder7 = (answer: Answer) =>
    answer.latestFeeders.find((feeder: Answer) => feeder.feederId === 'FEEDER_7');
  const expectViewsTrue = async (): Promise<void> => {
    for (const view of VIEWS) {
      const { rows } = await pilot.deployment.database.pool.query(differenceQuery(view), [TENANT]);
      expect(rows, view).toEqual([]);
    }
  };
  /** Posts an event that is applied at once and waits for its revision. */
  const applied = async (type: string, body: object = {}): Promise<void> => {
    const answer = await pilot.event(type, { applyNow: true, ...body });
    expect(answer.status).toBe(201);
    await pilot.finished(answer.body.revision.publishId);
  };

  it('shows a quiet baseline: everybody reports, losses are technical, nobody is suspicious', async () => {
    await pilot.publishAndFinish();
    const answer = await quickcheck();
    expect(answer).toMatchObject({
      ok: true,
      tenantId: TENANT,
      generatedAt: NOW.toISOString(),
      suspiciousMeters: [],
      activeEvents: [],
      staleMetersBuckets: { current: 500, staleOver15m: 0, staleOver1h: 0, staleOver24h: 0 },
      reportingSummary: {
        intervalStart: READ_AT,
        intervalEnd: '2026-06-01T10:15:00.000Z',
        complete: true,
        expectedMeters: 500,
        reportingMeters: 500,
        reportingPct: 100,
      },
    });
    expect(answer.latestFeeders.map((feeder: Answer) => feeder.feederId)).toEqual(
      Array.from({ length: 10 }, (_, index) => `FEEDER_${index + 1}`),
    );
    for (const feeder of answer.latestFeeders) {
      expect(feeder).toMatchObject({ reportingMeters: 50, expectedMeters: 50, activeEvents: [] });
      expect(feeder.lossPct).toBeGreaterThan(1);
      expect(feeder.lossPct).toBeLessThan(13);
    }
    expect(answer.overview).toHaveLength(1);
    expect(answer.overview[0]).toMatchObject({
      day: '2026-06-01',
      intervals: 1,
      expectedMeters: 500,
      completenessPct: 100,
    });
    expect(answer.loss).toEqual({
      min: answer.overview[0].lossPct,
      max: answer.overview[0].lossPct,
      avg: answer.overview[0].lossPct,
    });
    expect(answer.feederLoss).toHaveLength(10);
    expect(answer.fieldOps).toHaveLength(10);
    await expectViewsTrue();
  });

  it('shows a theft on its feeder, and every other feeder unchanged to the last digit', async () => {
    await pilot.publishAndFinish();
    const before = await quickcheck();
    await applied('theft');
    const after = await quickcheck();
    expect(feeder7(after).lossPct).toBeGreaterThan(60);
    expect(feeder7(after)).toMatchObject({ reportingMeters: 50, activeEvents: ['theft'] });
    expect(others(after)).toEqual(others(before));
    expect(after.feederLoss[0]).toMatchObject({ feederId: 'FEEDER_7', lossPct: feeder7(after).lossPct });
    expect(after.suspiciousMeters).toHaveLength(10);
    for (const suspicious of after.suspiciousMeters) {
      expect(suspicious).toMatchObject({ feederId: 'FEEDER_7', suspiciousIntervals: 1 });
      expect(suspicious.missingPct).toBeGreaterThan(75);
      expect(suspicious.reason).toMatch(
        /^Registered [\d.]+ of [\d.]+ kWh delivered in 1 interval \(10:00 UTC\): \d\d\.\d % is missing, where technical loss/,
      );
    }
    expect(after.activeEvents).toMatchObject([{ feederId: 'FEEDER_7', eventType: 'theft', severity: 0.8 }]);
    await expectViewsTrue();
  });

  it('shows a theft by a tenth of the meters as those meters', async () => {
    await pilot.publishAndFinish();
    const before = await quickcheck();
    await applied('theft', { meterFraction: 0.1 });
    const after = await quickcheck();
    expect(after.suspiciousMeters).toHaveLength(5);
    expect(feeder7(after).lossPct).toBeGreaterThan(feeder7(before).lossPct);
    expect(others(after)).toEqual(others(before));
    await expectViewsTrue();
  });

  it('shows an outage as missing reads, not as loss', async () => {
    await pilot.publishAndFinish({ readAt: EARLIER });
    await pilot.event('comms-outage', { severity: 1 });
    await pilot.publishAndFinish();
    const answer = await quickcheck();
    expect(feeder7(answer)).toMatchObject({
      reportingMeters: 0,
      expectedMeters: 50,
      reportingPct: 0,
      lossPct: null,
      activeEvents: ['comms-outage'],
    });
    expect(answer.reportingSummary).toMatchObject({
      expectedMeters: 500,
      reportingMeters: 450,
      reportingPct: 90,
    });
    expect(answer.reportingSummary.lossPct).toBeLessThan(13);
    expect(answer.staleMetersBuckets).toEqual({
      current: 450,
      staleOver15m: 50,
      staleOver1h: 0,
      staleOver24h: 0,
    });
    expect(answer.suspiciousMeters).toEqual([]);
    expect(answer.fieldOps[0]).toMatchObject({
      feederId: 'FEEDER_7',
      priority: 1,
      silentMeters: 50,
      completenessPct: 50,
      reason: "50 of 50 meters silent in the interval 10:00 UTC. 50.0 % of the day's expected reads arrived.",
    });
    await expectViewsTrue();
  });

  it('shows an outage of everything as an interval without reads', async () => {
    await pilot.publishAndFinish({ readAt: EARLIER });
    for (let feeder = 1; feeder <= 10; feeder += 1)
      await pilot.event('comms-outage', { severity: 1, feederId: `FEEDER_${feeder}` });
    await pilot.publishAndFinish();
    const answer = await quickcheck();
    expect(answer.reportingSummary).toMatchObject({
      intervalStart: READ_AT,
      expectedMeters: 500,
      reportingMeters: 0,
      reportingPct: 0,
      lossPct: null,
    });
    expect(answer.latestFeeders).toHaveLength(10);
    expect(answer.staleMetersBuckets).toMatchObject({ current: 0, staleOver15m: 500 });
  });

  it('shows a sag as low voltage on its feeder', async () => {
    await pilot.publishAndFinish();
    const before = await quickcheck();
    await applied('voltage-sag');
    const after = await quickcheck();
    expect(feeder7(after).minVoltage).toBeGreaterThanOrEqual(90);
    expect(feeder7(after).minVoltage).toBeLessThan(114);
    expect(feeder7(after)).toMatchObject({ lowVoltageMeters: 50, lossPct: feeder7(before).lossPct });
    expect(others(after)).toEqual(others(before));
    expect(after.fieldOps[0]).toMatchObject({ feederId: 'FEEDER_7', priority: 1, undervoltageMeters: 50 });
    expect(after.fieldOps[0].reason).toMatch(/50 meters below 114 V, down to 9\d\.\d V\./);
    await expectViewsTrue();
  });

  it('takes it all back when the interval is revised after the events', async () => {
    await pilot.publishAndFinish();
    const before = await quickcheck();
    const ids: string[] = [];
    for (const type of ['theft', 'voltage-sag']) {
      const answer = await pilot.event(type, { applyNow: true });
      await pilot.finished(answer.body.revision.publishId);
      ids.push(answer.body.event.id);
    }
    for (const id of ids) await pilot.deployment.post(`/api/ami/event/${id}/stop`, {});
    await pilot.deployment.database.truncate('ami_events');
    await pilot.publishAndFinish({ onConflict: 'update' });
    const after = await quickcheck();
    expect({ ...after, generatedAt: null }).toEqual({ ...before, generatedAt: null });
    await expectViewsTrue();
  });

  it('ages silent meters from the latest interval, never from the clock', async () => {
    for (const [readAt, meterCount] of [
      ['2026-05-30T10:00:00Z', 500],
      ['2026-06-01T08:00:00Z', 400],
      ['2026-06-01T09:30:00Z', 300],
      [EARLIER, 200],
      [READ_AT, 100],
    ] as const)
      await pilot.publishAndFinish({ readAt, meterCount });
    pilot.setClock(new Date('2026-06-03T00:00:00Z'));
    const answer = await quickcheck();
    expect(answer.staleMetersBuckets).toEqual({
      current: 100,
      staleOver15m: 200,
      staleOver1h: 100,
      staleOver24h: 100,
    });
    expect(answer.reportingSummary).toMatchObject({ expectedMeters: 100, reportingMeters: 100 });
  });

  it('says that an interval is still being written, and does not take that for an outage', async () => {
    await pilot.publishAndFinish({ readAt: EARLIER });
    const { pool } = pilot.deployment.database;
    await pilot.publishAndFinish();
    // As it stands in the middle of a tick: two batches are yet to come.
    await pool.query(
      `UPDATE ami_publish_batches SET state = 'pending', started_at = NULL, finished_at = NULL,
         inserted = NULL, updated = NULL, duplicate = NULL, skipped = NULL, due_at = now()
       WHERE batch_number IN (3, 4) AND publish_id IN (SELECT publish_id FROM ami_publishes WHERE read_at = $1)`,
      [READ_AT],
    );
    await pool.query(
      `DELETE FROM meter_reads_electric WHERE read_at = $1 AND feeder_id IN ('FEEDER_7', 'FEEDER_8', 'FEEDER_9', 'FEEDER_10')`,
      [READ_AT],
    );
    const answer = await quickcheck();
    expect(answer.reportingSummary).toMatchObject({
      intervalStart: READ_AT,
      complete: false,
      reportingMeters: 300,
    });
    expect(answer.staleMetersBuckets).toMatchObject({ current: 500, staleOver15m: 0 });
    for (const row of answer.fieldOps) expect(row).toMatchObject({ silentMeters: 0, completenessPct: 100 });
    expect(answer.overview[0]).toMatchObject({ intervals: 2, expectedMeters: 500, completenessPct: 100 });
    await pool.query(`DELETE FROM ami_publish_batches WHERE state = 'pending'`);
  });

  it('is true of rows from psql too, and of a tenant that nothing was ever published for', async () => {
    const { pool } = pilot.deployment.database;
    await pool.query(
      `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
       SELECT 'PSQL', 'M' || n, 'NORTH', $1, CASE WHEN n = 1 THEN 0.2 ELSE 0.96 END, 1, 112 + n
       FROM generate_series(1, 4) n`,
      [READ_AT],
    );
    const { body } = await pilot.deployment.http.get('/api/ami/kpi/quickcheck?tenantId=PSQL');
    expect(body).toMatchObject({
      loss: { min: 23, max: 23, avg: 23 },
      overview: [{ day: '2026-06-01', reads: 4, kwh: 3.08, deliveredKwh: 4, lossPct: 23, minVoltage: 113 }],
      feederLoss: [{ feederId: 'NORTH', lossPct: 23 }],
      suspiciousMeters: [{ meterId: 'M1', missingKwh: 0.8, missingPct: 80 }],
      fieldOps: [{ feederId: 'NORTH', undervoltageMeters: 1, silentMeters: 0, completenessPct: 100 }],
      reportingSummary: { expectedMeters: 4, reportingMeters: 4, lossPct: 23, lowVoltageMeters: 1 },
      staleMetersBuckets: { current: 4, staleOver15m: 0 },
    });
  });

  it('takes no read off the quarter hour or from the future for the latest interval', async () => {
    await pilot.publishAndFinish();
    const { pool } = pilot.deployment.database;
    const future = new Date(Math.ceil(Date.now() / 900_000 + 96) * 900_000);
    await pool.query('SELECT ami_ensure_read_partition($1)', [future]);
    for (const readAt of ['2026-06-01T10:03:12.345678Z', future.toISOString()])
      await pool.query(
        `INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, delivered_kwh, voltage)
         VALUES ($1, 'BY-HAND', 'FEEDER_7', $2, 1, 1.05, 120)`,
        [TENANT, readAt],
      );
    const answer = await quickcheck();
    expect(answer.reportingSummary).toMatchObject({
      intervalStart: READ_AT,
      expectedMeters: 500,
      reportingMeters: 500,
    });
    expect(answer.overview[0]).toMatchObject({ day: '2026-06-01', reads: 501 });
    expect(answer.fieldOps).toHaveLength(10);
    expect(answer.fieldOps[0]).toMatchObject({ day: '2026-06-01', silentMeters: 0 });
    // It did report, after the latest interval.
    expect(answer.staleMetersBuckets).toEqual({
      current: 501,
      staleOver15m: 0,
      staleOver1h: 0,
      staleOver24h: 0,
    });
  });

  it('expects of each interval the fleet that was published for it', async () => {
    await pilot.publishAndFinish({ readAt: '2026-06-01T09:30:00Z', meterCount: 100 });
    await pilot.publishAndFinish({ readAt: EARLIER, meterCount: 500 });
    let answer = await quickcheck();
    expect(answer.overview[0]).toMatchObject({ expectedMeters: 500, completenessPct: 100 });
    for (const row of answer.fieldOps)
      expect(row).toMatchObject({ expectedMeters: 50, silentMeters: 0, completenessPct: 100 });
    await pilot.publishAndFinish({ readAt: READ_AT, meterCount: 200, feederCount: 20 });
    answer = await quickcheck();
    expect(answer.overview[0]).toMatchObject({ expectedMeters: 200, completenessPct: 100 });
    for (const row of answer.fieldOps)
      expect(row).toMatchObject({ expectedMeters: 10, silentMeters: 0, completenessPct: 100 });
    expect(answer.reportingSummary).toMatchObject({ expectedMeters: 200, reportingMeters: 200 });
  });

  it('shows an event on its feeder alone where one interval was published for two layouts', async () => {
    await pilot.publishAndFinish({ meterCount: 500, feederCount: 25, batchSize: 500 });
    await pilot.publishAndFinish({ meterCount: 1000, feederCount: 10 });
    const before = await quickcheck();
    expect(before.reportingSummary).toMatchObject({
      expectedMeters: 1000,
      reportingMeters: 1000,
      reportingPct: 100,
    });
    await applied('theft');
    const after = await quickcheck();
    expect(others(after)).toEqual(others(before));
    expect(feeder7(after).lossPct).toBeGreaterThan(feeder7(before).lossPct + 20);
  });

  it('costs a poll that has seen it all one tag, and answers anew whatever changes', async () => {
    const { http, database } = pilot.deployment;
    const path = `/api/ami/kpi/quickcheck?tenantId=${TENANT}`;
    let tag = (await http.get(path)).headers.etag as string;
    const expectChange = async (what: string): Promise<void> => {
      const changed = await http.get(path).set('If-None-Match', tag);
      expect(changed.status, what).toBe(200);
      // A delete has meters forgotten, by us or by the worker's upkeep, which is a change of its own.
      await waitFor('meters without reads to be forgotten', async () => {
        await database.pool.query('SELECT ami_recheck_meters()');
        const { rowCount } = await database.pool.query('SELECT FROM ami_meter_rechecks');
        return rowCount === 0;
      });
      tag = (await http.get(path)).headers.etag as string;
      const same = await http
        .get(path)
        .set('If-None-Match', `W/"another", ${tag}`)
        .set('Cache-Control', 'no-cache')
        .set('Origin', 'https://app.gridlensenergy.com');
      expect(same.status, what).toBe(304);
      expect(same.text).toBe('');
      expect(same.headers['access-control-allow-origin']).toBe('https://app.gridlensenergy.com');
      expect(same.headers['cache-control']).toBe('no-cache');
    };
    await pilot.publishAndFinish();
    await expectChange('a publish');
    await applied('theft');
    await expectChange('an event with its revision');
    pilot.setClock(new Date('2026-06-01T11:08:00Z'));
    await expectChange('an event that is over');
    await database.pool.query(`UPDATE meter_reads_electric SET kwh = kwh WHERE meter_id LIKE '%-00007'`);
    await expectChange('a row written from psql');
    await database.pool.query(`DELETE FROM meter_reads_electric WHERE meter_id LIKE '%-00008'`);
    await expectChange('a row deleted from psql');
  });

  it('answers a tenant without data with nulls and empty lists', async () => {
    const { body } = await pilot.deployment.http.get('/api/ami/kpi/quickcheck?tenantId=NOBODY');
    expect(body).toEqual({
      ok: true,
      tenantId: 'NOBODY',
      generatedAt: NOW.toISOString(),
      timeZone: 'UTC',
      loss: { min: null, max: null, avg: null },
      overview: [],
      feederLoss: [],
      suspiciousMeters: [],
      fieldOps: [],
      reportingSummary: null,
      latest: null,
      latestComplete: null,
      staleMetersBuckets: null,
      staleMetersReference: null,
      latestFeeders: [],
      activeEvents: [],
      vee: null,
    });
  });
});

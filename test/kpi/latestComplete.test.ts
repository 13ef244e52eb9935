import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { publishOfLatestInterval } from '../../src/ledger/publishedIntervals.js';
import type { PublishRecord } from '../../src/ledger/publishLedger.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, NOW, type Pilot, TENANT } from '../support/pilot.js';

const READ_AT = '2026-06-01T10:00:00.000Z';
const EARLIER = '2026-06-01T09:45:00.000Z';

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, as a dashboard would
type Answer = any;

describeOnBothBackends('the latest interval beside the latest complete one', (backend) => {
  let pilot: Pilot;
  const sql = async (text: string, values: unknown[] = []) =>
    (await pilot.deployment.database.pool.query(text, values)).rows;
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
  /**
   * As it stands while batches of an interval are on their way: their rows in the ledger, and no reads of theirs. Due
   * in an hour, so that no upkeep takes them for lost.
   */
  const beforeBatches = async (readAt: string, batches: number[], feeders: string[]): Promise<void> => {
    await sql(
      `UPDATE ami_publish_batches SET state = 'pending', started_at = NULL, finished_at = NULL, inserted = NULL,
         updated = NULL, duplicate = NULL, skipped = NULL, due_at = now() + interval '1 h'
       WHERE batch_number = ANY ($2) AND publish_id IN (SELECT publish_id FROM ami_publishes WHERE read_at = $1)`,
      [readAt, batches],
    );
    await sql('DELETE FROM meter_reads_electric WHERE read_at = $1 AND feeder_id = ANY ($2)', [
      readAt,
      feeders,
    ]);
  };
  const nothingPending = () => sql(`DELETE FROM ami_publish_batches WHERE state = 'pending'`);

  it('are the same where nothing is on its way', async () => {
    await pilot.publishAndFinish({ readAt: EARLIER });
    await pilot.publishAndFinish();
    const answer = await quickcheck();
    expect(answer.latest).toEqual({
      intervalStart: READ_AT,
      intervalEnd: '2026-06-01T10:15:00.000Z',
      complete: true,
      expectedMeters: 500,
      reportingMeters: 500,
      reportingPct: 100,
      estimatedPct: 0,
      lossPct: expect.any(Number),
      receivedKwh: null,
      lowVoltageMeters: 0,
    });
    expect(answer.latestComplete).toEqual(answer.latest);
    expect(answer.reportingSummary).toEqual(answer.latest);
    expect(answer.staleMetersReference).toBe(READ_AT);
  });

  it('differ while the latest is being written, and staleness is by the complete one', async () => {
    await pilot.publishAndFinish({ readAt: EARLIER });
    const before = await quickcheck();
    await pilot.publishAndFinish();
    await beforeBatches(READ_AT, [3, 4], ['FEEDER_7', 'FEEDER_8', 'FEEDER_9', 'FEEDER_10']);
    const answer = await quickcheck();
    expect(answer.latest).toMatchObject({
      intervalStart: READ_AT,
      complete: false,
      expectedMeters: 500,
      reportingMeters: 300,
    });
    expect(answer.reportingSummary).toEqual(answer.latest);
    expect(answer.latestComplete).toEqual(before.latest);
    expect(answer.staleMetersReference).toBe(EARLIER);
    expect(answer.staleMetersBuckets).toEqual({
      current: 500,
      staleOver15m: 0,
      staleOver1h: 0,
      staleOver24h: 0,
    });
    await nothingPending();
  });

  it('has no complete one beside the very first', async () => {
    await pilot.publishAndFinish();
    await beforeBatches(READ_AT, [4], ['FEEDER_9', 'FEEDER_10']);
    const answer = await quickcheck();
    expect(answer.latest).toMatchObject({ complete: false, reportingMeters: 400 });
    expect(answer).toMatchObject({ latestComplete: null, staleMetersReference: READ_AT });
    await nothingPending();
  });

  it('stay the newest while intervals of the same day and of past days are written', async () => {
    await pilot.publishAndFinish();
    for (const readAt of [
      '2026-06-01T09:00:00.000Z',
      '2026-05-31T10:00:00.000Z',
      '2026-05-02T10:00:00.000Z',
    ]) {
      await pilot.publishAndFinish({ readAt });
      await beforeBatches(readAt, [0, 4], ['FEEDER_1', 'FEEDER_2', 'FEEDER_9', 'FEEDER_10']);
    }
    const answer = await quickcheck();
    expect(answer.latest).toMatchObject({ intervalStart: READ_AT, complete: true, reportingMeters: 500 });
    expect(answer.latestComplete).toEqual(answer.latest);
    expect(answer.staleMetersReference).toBe(READ_AT);
    expect(answer.staleMetersBuckets).toMatchObject({ current: 500 });
    const days = answer.overview.map((day: Answer) => [day.day, day.completenessPct]);
    // A day of which only intervals on their way were published expects nothing yet.
    expect(days).toContainEqual(['2026-06-01', 100]);
    for (const [, completeness] of days) expect([100, null]).toContain(completeness);
    await nothingPending();
  });

  it('end after an hour with hourly intervals, both of them', async () => {
    for (const readAt of ['2026-06-01T08:00:00Z', '2026-06-01T09:00:00Z'])
      await pilot.publishAndFinish({ readAt, intervalMinutes: 60 });
    await beforeBatches('2026-06-01T09:00:00Z', [2], ['FEEDER_5', 'FEEDER_6']);
    const answer = await quickcheck();
    expect([answer.latest.intervalStart, answer.latest.intervalEnd]).toEqual([
      '2026-06-01T09:00:00.000Z',
      READ_AT,
    ]);
    expect([answer.latestComplete.intervalStart, answer.latestComplete.intervalEnd]).toEqual([
      '2026-06-01T08:00:00.000Z',
      '2026-06-01T09:00:00.000Z',
    ]);
    await nothingPending();
  });

  /**
   * READ_AT is published, its batch 3 (FEEDER_7, FEEDER_8) given up, and that range published anew by another publish
   * of the same fleet, as a catch-up does, with another seed.
   */
  const publishedInPart = async (): Promise<{ whole: string; part: string }> => {
    const whole = await pilot.publish();
    await pilot.finished(whole);
    await sql(
      `UPDATE ami_publish_batches SET state = 'failed', failure = 'test', inserted = NULL, updated = NULL,
         duplicate = NULL, skipped = NULL WHERE publish_id = $1 AND batch_number = 3`,
      [whole],
    );
    const [{ part }] = (await sql(
      `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
         feeder_count, batch_size, batch_count, on_conflict, range_from, range_to)
       SELECT gen_random_uuid(), tenant_id, 'catch-up', read_at, interval_minutes, 'another', meter_count, feeder_count,
         50, 2, 'nothing', 300, 400 FROM ami_publishes WHERE publish_id = $1 RETURNING publish_id AS part`,
      [whole],
    )) as [{ part: string }];
    await sql(
      `INSERT INTO ami_publish_batches (publish_id, batch_number, tenant_id, meters, due_at, state, started_at, finished_at,
         inserted, updated, duplicate, skipped)
       SELECT $1, number, $2, 50, now(), 'done', now(), now(), 50, 0, 0, 0 FROM generate_series(0, 1) number`,
      [part, TENANT],
    );
    return { whole, part };
  };

  it('expect the whole fleet of an interval that was published in parts', async () => {
    const { part } = await publishedInPart();
    let answer = await quickcheck();
    expect(answer.latest).toMatchObject({ complete: true, expectedMeters: 500, reportingMeters: 500 });
    expect(answer.overview[0]).toMatchObject({ expectedMeters: 500, completenessPct: 100 });
    // The part alone: what is missing of the rest is missing.
    await sql('DELETE FROM ami_publishes WHERE publish_id <> $1', [part]);
    await sql(`DELETE FROM meter_reads_electric WHERE feeder_id NOT IN ('FEEDER_7', 'FEEDER_8')`);
    answer = await quickcheck();
    expect(answer.latest).toMatchObject({ expectedMeters: 500, reportingMeters: 100, reportingPct: 20 });
    expect(answer.latestFeeders).toHaveLength(10);
    expect(answer.fieldOps).toHaveLength(10);
    expect(answer.overview[0]).toMatchObject({ expectedMeters: 500, completenessPct: 20 });
  });

  it('an event revises each feeder as the publish made it that wrote it', async () => {
    const { whole, part } = await publishedInPart();
    const { pool } = pilot.deployment.database;
    const publishOf = async (feederId: string): Promise<string | undefined> =>
      (await publishOfLatestInterval(pool, TENANT, feederId))?.publishId;
    expect(await publishOf('FEEDER_6')).toBe(whole);
    expect(await publishOf('FEEDER_7')).toBe(part);
    expect(await publishOf('FEEDER_8')).toBe(part);
    expect(await publishOf('FEEDER_9')).toBe(whole);
    expect(await publishOf('FEEDER_11')).toBe(whole);
    // Of the part's own batches the second is FEEDER_8: its feeder is the whole one's again when it failed.
    await sql(
      `UPDATE ami_publish_batches SET state = 'cancelled' WHERE publish_id = $1 AND batch_number = 1`,
      [part],
    );
    expect(await publishOf('FEEDER_7')).toBe(part);
    expect(await publishOf('FEEDER_8')).toBe(whole);
  });

  it('an outage warns of reads that have arrived, whichever publish wrote them', async () => {
    await publishedInPart();
    const outage = async (feederId: string): Promise<string[]> => {
      const answer = await pilot.event('comms-outage', { feederId, applyNow: true });
      expect(answer.status).toBe(201);
      await pilot.finished(answer.body.revision.publishId);
      return answer.body.safetyWarnings;
    };
    for (const feederId of ['FEEDER_1', 'FEEDER_7', 'FEEDER_10'])
      expect(await outage(feederId)).toEqual([
        expect.stringContaining('have already arrived are not deleted'),
      ]);
    const { pool } = pilot.deployment.database;
    await pool.query(`DELETE FROM ami_publish_batches WHERE batch_number IN (0, 1) AND publish_id IN (
      SELECT publish_id FROM ami_publishes WHERE origin = 'catch-up')`);
    expect(await outage('FEEDER_8')).toEqual([]);
  });

  it('the feeder of a publish is found as the line has it, however many meters and feeders', async () => {
    const { pool } = pilot.deployment.database;
    const [{ id }] = (await sql(
      `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
         feeder_count, batch_size, batch_count, on_conflict, range_from, range_to)
       VALUES (gen_random_uuid(), $1, 'manual', $2, 15, 's', 107, 13, 1, 107, 'nothing', 0, 107) RETURNING publish_id AS id`,
      [TENANT, READ_AT],
    )) as [{ id: string }];
    // 107 = 3 × 9 + 10 × 8: FEEDER_3 ends, and FEEDER_4 begins, at position 27.
    await sql(
      `INSERT INTO ami_publish_batches (publish_id, batch_number, tenant_id, meters, due_at, state) VALUES ($1, 26, $2, 1, now(), 'cancelled')`,
      [id, TENANT],
    );
    const smaller: PublishRecord = (await publishOfLatestInterval(pool, TENANT, 'FEEDER_3')) as PublishRecord;
    expect(smaller.publishId).toBe(id);
    const other = (
      await sql(
        `INSERT INTO ami_publishes (publish_id, tenant_id, origin, read_at, interval_minutes, seed, meter_count,
           feeder_count, batch_size, batch_count, on_conflict, range_from, range_to)
         VALUES (gen_random_uuid(), $1, 'catch-up', $2, 15, 's', 107, 13, 1, 1, 'nothing', 26, 27) RETURNING publish_id AS id`,
        [TENANT, READ_AT],
      )
    )[0].id;
    await sql(
      `INSERT INTO ami_publish_batches (publish_id, batch_number, tenant_id, meters, due_at) VALUES ($1, 0, $2, 1, now() + interval '1 h')`,
      [other, TENANT],
    );
    expect((await publishOfLatestInterval(pool, TENANT, 'FEEDER_3'))?.publishId).toBe(other);
    for (const feederId of ['FEEDER_2', 'FEEDER_4', 'FEEDER_13'])
      expect((await publishOfLatestInterval(pool, TENANT, feederId))?.publishId).toBe(id);
    await nothingPending();
  });
});

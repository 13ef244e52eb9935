import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BatchJob, batchJob } from '../../src/contracts/batchJob.js';
import { withTransaction } from '../../src/db/db.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { type OverdueBatch, overdueBatches, recordPublishes } from '../../src/ledger/publishLedger.js';
import { restoreLostBatches } from '../../src/publishing/lostBatches.js';
import { lockRevisions } from '../../src/reads/meterReads.js';
import { generateBatch } from '../../src/writing/amiEmulator.js';
import { createBatchRunner } from '../../src/writing/batchRunner.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createPilot, measured, ofFeeder, type Pilot, type StoredRead, TENANT } from '../support/pilot.js';
import { waitFor } from '../support/waitFor.js';

const NEXT = '2026-06-01T10:15:00Z';
const UNLIMITED = { turn: async () => new Date(), close: () => undefined };

describeOnBothBackends('events in the reads', (backend) => {
  let pilot: Pilot;
  beforeEach(async () => {
    pilot = await createPilot(backend);
  });
  afterEach(() => pilot.deployment.close());

  /** Posts an event with applyNow and waits for its revision; answers the event's answer. */
  const applied = async (type: string, body: object = {}) => {
    const answer = await pilot.event(type, { applyNow: true, ...body });
    expect(answer.status).toBe(201);
    const revision = await pilot.finished(answer.body.revision.publishId);
    return { ...answer.body, progress: revision };
  };
  const expectOthersUntouched = (before: Map<string, StoredRead>, after: Map<string, StoredRead>) => {
    for (const [id, read] of before) {
      if (read.feederId !== 'FEEDER_7') expect(after.get(id)).toEqual(read);
    }
  };
  const pending = async (): Promise<OverdueBatch[]> =>
    overdueBatches(pilot.deployment.database.pool, 'live', -3_600, 500);

  it('theft lowers what its feeder registered in the current interval by the severity, and nothing else', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const before = await pilot.reads();
    const { progress, revision } = await applied('theft');
    expect(revision).toMatchObject({
      readAt: '2026-06-01T10:00:00.000Z',
      computedMeters: 50,
      enqueuedJobs: 1,
    });
    expect(progress).toMatchObject({
      origin: 'revision',
      rows: { inserted: 0, updated: 50, duplicate: 0, skippedByOutage: 0 },
    });
    const after = await pilot.reads();
    expectOthersUntouched(before, after);
    for (const read of ofFeeder(before)) {
      const now = after.get(read.meterId) as StoredRead;
      expect(now.kwh).toBe(Math.round(read.kwh * (1 - 0.8) * 10_000) / 10_000);
      expect(now.updatedAt > read.updatedAt).toBe(true);
      expect({ ...now, kwh: 0, updatedAt: '' }).toEqual({ ...read, kwh: 0, updatedAt: '' });
    }
  });

  it('a share of the meters is exactly that many, the same ones the next time, the others get the same read again', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish({ seed: 42, timeZone: 'Europe/Berlin', climate: 'germany' });
    const before = await pilot.reads();
    await applied('theft', { meterFraction: 0.1 });
    const once = await pilot.reads();
    const changed = ofFeeder(before).filter((read) => once.get(read.meterId)?.kwh !== read.kwh);
    expect(changed).toHaveLength(5);
    for (const read of ofFeeder(before).filter((one) => !changed.includes(one)))
      expect(measured(once.get(read.meterId))).toEqual(measured(read));
    await applied('theft', { meterFraction: 0.1 });
    const twice = await pilot.reads();
    for (const read of ofFeeder(before)) {
      const factor = changed.includes(read) ? 0.2 * 0.2 : 1;
      expect(twice.get(read.meterId)?.kwh).toBeCloseTo(read.kwh * factor, 3);
    }
    expectOthersUntouched(before, twice);
  });

  it('an outage keeps its share of the reads from arriving, the same ones whatever the batches; it deletes none', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const before = await pilot.reads();
    const { progress, safetyWarnings } = await applied('comms-outage', { severity: 0.6 });
    expect(safetyWarnings).toEqual([
      'Reads of the interval 2026-06-01T10:00:00.000Z that have already arrived are not deleted; the outage shows from the interval 2026-06-01T10:15:00.000Z on.',
    ]);
    expect(progress.rows.skippedByOutage + progress.rows.updated).toBe(50);
    const [now, still] = [await pilot.reads(), [...before.values()].map(measured)];
    expect([...now.values()].map(measured)).toEqual(still);

    pilot.setClock(new Date('2026-06-01T10:16:00Z'));
    const publishId = await pilot.publish();
    const { rows } = await pilot.finished(publishId);
    const next = await pilot.reads(NEXT);
    // 50 meters: three standard deviations are 10.
    expect(ofFeeder(next).length).toBeGreaterThanOrEqual(10);
    expect(ofFeeder(next).length).toBeLessThanOrEqual(30);
    expect(rows).toEqual({
      inserted: next.size,
      updated: 0,
      duplicate: 0,
      skippedByOutage: 500 - next.size,
    });
    expect(next.size - ofFeeder(next).length).toBe(450);
    await pilot.deployment.database.truncate('meter_reads_electric');
    await pilot.publishAndFinish({ batchSize: 7 });
    expect([...(await pilot.reads(NEXT)).values()].map(measured)).toEqual([...next.values()].map(measured));
  });

  it('a sag puts the voltage into 90 to 114 and flags it; named meters alone, then the whole feeder deeper', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const before = await pilot.reads();
    const [first, second] = ofFeeder(before) as [StoredRead, StoredRead];
    await applied('voltage-sag', { severity: 0.2, meterIds: [first.meterId, second.meterId] });
    const named = await pilot.reads();
    const changed = ofFeeder(before).filter((read) => named.get(read.meterId)?.voltage !== read.voltage);
    expect(changed.map(({ meterId }) => meterId)).toEqual([first.meterId, second.meterId]);
    expect(named.get(first.meterId)?.voltage).toBeGreaterThanOrEqual(108.7);
    expect(named.get(first.meterId)?.voltage).toBeLessThanOrEqual(109.7);
    await applied('voltage-sag', { severity: 0.7 });
    const after = await pilot.reads();
    expectOthersUntouched(before, after);
    for (const read of ofFeeder(after)) {
      expect(read.voltage).toBeGreaterThanOrEqual(90);
      expect(read.voltage).toBeLessThan(98.5);
      expect(read.flags).toEqual(['LOW_VOLTAGE']);
      expect(read.kwh).toBe(before.get(read.meterId)?.kwh);
    }
  });

  it('an event posted before any publish, or while one is waiting, shows in it, whichever batch runs first', async () => {
    await pilot.event('voltage-sag', { feederId: 'FEEDER_2' });
    await pilot.publish();
    const { body } = await pilot.event('theft', { applyNow: true });
    const revisionId = body.revision.publishId;
    const batches = await pending();
    expect(batches).toHaveLength(6);
    const runner = createBatchRunner(pilot.deployment.database.pool, UNLIMITED);
    const run = async (of: OverdueBatch[]) => {
      for (const batch of of)
        await runner.run(batchJob.parse(batchPayload(batch, batch.batch)), false, 'live');
      return [...(await pilot.reads()).values()].map(measured);
    };
    const revisionFirst = await run(
      batches.toSorted((a, b) => Number(b.publishId === revisionId) - Number(a.publishId === revisionId)),
    );
    await pilot.deployment.database.pool.query(
      `UPDATE ami_publish_batches SET state = 'pending', finished_at = NULL; TRUNCATE meter_reads_electric`,
    );
    const revisionLast = await run(
      batches.toSorted((a, b) => Number(a.publishId === revisionId) - Number(b.publishId === revisionId)),
    );
    expect(revisionLast).toEqual(revisionFirst);
    expect(ofFeeder(await pilot.reads(), 'FEEDER_2').every((read) => read.voltage < 114)).toBe(true);
    const loss = ofFeeder(await pilot.reads()).map((read) => 1 - read.kwh / read.deliveredKwh);
    // Loads of a few Wh round to whole tenths of a Wh, hence the sum and not each.
    expect(loss.reduce((sum, one) => sum + one, 0) / 50).toBeGreaterThan(0.78);
  });

  it('ten thefts at once with applyNow are ten events, and the last word has all of them', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const before = await pilot.reads();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => pilot.event('theft', { severity: 0.1, applyNow: true })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    for (const { body } of answers) await pilot.finished(body.revision.publishId);
    expect(await pilot.count('ami_events')).toBe(10);
    const after = await pilot.reads();
    for (const read of ofFeeder(before))
      expect(Math.abs((after.get(read.meterId)?.kwh ?? 0) - read.kwh * 0.9 ** 10)).toBeLessThanOrEqual(
        0.0001,
      );
    expectOthersUntouched(before, after);
  });

  it('a revision looks at the events when its turn has come, so that one that waited misses none', async () => {
    await pilot.publish();
    await pilot.event('theft', { severity: 0.5, applyNow: true });
    const { pool } = pilot.deployment.database;
    const runner = createBatchRunner(pool, UNLIMITED);
    const jobs = (await pending()).map((batch) => batchJob.parse(batchPayload(batch, batch.batch)));
    const revision = jobs.find(({ onConflict }) => onConflict === 'update') as BatchJob;
    const normal = generateBatch(revision, []);
    const running = await withTransaction(pool, async (client) => {
      await lockRevisions(client, TENANT, revision.readAt);
      const started = runner.run(revision, false, 'live');
      await waitFor('the revision to wait', async () => {
        const { rows } = await pool.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        return rows.length > 0;
      });
      await pilot.event('theft', { severity: 0.5 });
      return { started };
    });
    expect(await running.started).toMatchObject({ inserted: 50 });
    const after = await pilot.reads();
    normal.meterIds.forEach((id, index) => {
      const expected = (normal.kwh[index] as number) * 0.25;
      expect(Math.abs((after.get(id)?.kwh ?? 0) - expected)).toBeLessThanOrEqual(0.0001);
    });
  });

  it('one stopped early shows in the interval it was stopped in and not in the next; nor one stopped before it began', async () => {
    await pilot.deployment.startWorker();
    const running = (await pilot.event('voltage-sag')).body.event;
    const ahead = (await pilot.event('theft', { startAt: NEXT })).body.event;
    pilot.setClock(new Date('2026-06-01T10:10:00Z'));
    for (const { id } of [running, ahead]) await pilot.deployment.post(`/api/ami/event/${id}/stop`, {});
    await pilot.publishAndFinish();
    expect(ofFeeder(await pilot.reads()).every((read) => read.voltage < 114)).toBe(true);
    pilot.setClock(new Date('2026-06-01T10:16:00Z'));
    await pilot.publishAndFinish();
    const next = ofFeeder(await pilot.reads(NEXT));
    expect(next.filter((read) => read.voltage < 114).length).toBeLessThan(5);
    const loss =
      1 -
      next.reduce((sum, read) => sum + read.kwh, 0) / next.reduce((sum, read) => sum + read.deliveredKwh, 0);
    expect(loss).toBeLessThan(0.3);
  });

  it('survives the end of every process', async () => {
    await pilot.deployment.startWorker();
    await pilot.event('voltage-sag', { severity: 1 });
    await pilot.deployment.restart();
    pilot.setClock(new Date('2026-06-01T10:31:00Z'));
    const { body } = await pilot.deployment.http.get(`/api/ami/events?tenantId=${TENANT}&active=true`);
    expect(body.events).toHaveLength(1);
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish();
    const reads = ofFeeder(await pilot.reads('2026-06-01T10:30:00Z'));
    expect(reads.every((read) => read.voltage <= 90.5)).toBe(true);
  });

  it('an hourly tenant has its hour revised', async () => {
    await pilot.deployment.startWorker();
    await pilot.publishAndFinish({ intervalMinutes: 60 });
    const before = await pilot.reads();
    const { revision } = await applied('theft', { startAt: '2026-06-01T10:55:00Z' });
    expect(revision).toMatchObject({ intervalEnd: '2026-06-01T11:00:00.000Z' });
    const after = await pilot.reads();
    for (const read of ofFeeder(before)) expect(after.get(read.meterId)?.kwh).toBeCloseTo(read.kwh * 0.2, 3);
    expectOthersUntouched(before, after);
  });

  it('a revision that the queue lost is put back with the range, zone and climate it was accepted with', async () => {
    await pilot.publish({ batchSize: 30, timeZone: 'Europe/Berlin', climate: 'germany', seed: 's' });
    const { body } = await pilot.event('theft', { applyNow: true });
    const accepted = (await pending()).filter((batch) => batch.publishId === body.revision.publishId);
    expect(accepted.map((batch) => batchPayload(batch, batch.batch))).toMatchObject(
      [
        [300, 330],
        [330, 350],
      ].map(([from, to]) => ({ from, to, seed: 's', timeZone: 'Europe/Berlin', climate: 'germany' })),
    );
    // As if a process had died between ledger and queue: accepted, and in no queue.
    const lost = { ...(accepted[0] as OverdueBatch), publishId: randomUUID() };
    const batches = [30, 20].map((meters, number) => ({
      publishId: lost.publishId,
      number,
      tenantId: TENANT,
      meters,
      dueInMs: -60_000,
    }));
    await withTransaction(pilot.deployment.database.pool, (client) =>
      recordPublishes(client, [lost], batches),
    );
    const { context } = pilot.deployment;
    expect(await restoreLostBatches(context.database, context.queue)).toBe(2);
    await pilot.deployment.startWorker();
    const { rows } = await pilot.finished(lost.publishId);
    expect((rows.inserted ?? 0) + (rows.updated ?? 0)).toBe(50);
  });
});

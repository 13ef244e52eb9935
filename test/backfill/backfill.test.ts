import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type BackfillSupplier, createBackfillSupplier } from '../../src/backfill/supplier.js';
import { ApiError, DependencyUnavailableError } from '../../src/contracts/errors.js';
import { pruneLedger } from '../../src/ledger/pruning.js';
import { type Admission, createAdmission } from '../../src/publishing/admission.js';
import { createMissingParts, type MissingParts } from '../../src/publishing/missingParts.js';
import { createPublishPlanner } from '../../src/publishing/publishPlanner.js';
import { synthesizeFleet } from '../../src/registry/file/synthesizeFleet.js';
import { describeOnBothBackends, describeOnce } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { syntheticPublish } from '../support/publishRecords.js';
import { waitFor } from '../support/waitFor.js';

const TENANT = 'DEMO_TENANT';
const NOW = new Date('2026-06-01T10:07:00Z');
const BOUNDARY = '2026-06-01T10:00:00.000Z';
/** Four intervals of 60 meters, three batches each. */
const BODY = {
  tenantId: TENANT,
  from: '2026-06-01T09:00:00Z',
  meterCount: 60,
  feederCount: 10,
  batchSize: 20,
};

interface Progress {
  state: string;
  batches: { done: number; total: number; failed: number; cancelled: number };
  intervals: { done: number; total: number; overlapped: number };
  rows: { inserted: number; duplicate: number };
  failure?: string;
  [field: string]: unknown;
}

/** A deployment whose workers, if any, are all that feeds by itself, with feeders for a test's own hands. */
function backfillTools(deployment: () => Deployment) {
  const parts = () => {
    const { database, queue, schema, config } = deployment().context;
    const admission = createAdmission({
      database,
      queue,
      maxReadsPerSecond: config.maxReadsPerSecond,
      onEnqueueFailed: (error) => {
        throw error;
      },
    });
    const missingParts = createMissingParts({
      database,
      planner: createPublishPlanner({ database, schema }),
    });
    return { database, admission, missingParts };
  };
  const sql = async (text: string, values: unknown[] = []) =>
    (await deployment().database.pool.query(text, values)).rows;
  return {
    sql,
    feeder(
      given: Partial<{
        admission: Admission;
        missingParts: Pick<MissingParts, 'look'>;
        readsRetentionDays: number;
        now: () => Date;
        log: { warn(...line: unknown[]): void };
      }> = {},
    ) {
      return createBackfillSupplier({ now: () => NOW, readsRetentionDays: undefined, ...parts(), ...given });
    },
    admission: () => parts().admission,
    /** Feeds until there is no more room, or nothing more to do; answers how much was accepted. */
    async feedAll(feeder: BackfillSupplier): Promise<number> {
      for (let accepted = 0; ; ) {
        const more = await feeder.supply();
        if (more === 0) return accepted;
        accepted += more;
      }
    },
    /** An interval of which two parts have failed, so that it is missing in two pieces. */
    async damageInterval(readAt: string) {
      const damaged = { tenantId: TENANT, readAt: new Date(readAt), meterCount: 60, batchSize: 20 };
      await parts().admission.admit(syntheticPublish(damaged));
      await this.writeAll('failed', 'batch_number IN (0, 2)');
      await this.writeAll();
    },
    feederThatDiesAfter(publishes: number): BackfillSupplier {
      const { admission } = parts();
      let left = publishes;
      return this.feeder({
        admission: {
          async admit(publish, alongside) {
            left -= 1;
            if (left < 0) throw new DependencyUnavailableError('postgres', new Error('died'));
            return admission.admit(publish, alongside);
          },
        },
      });
    },
    /** Has a worker write whatever is accepted. */
    async work() {
      const worker = await deployment().startWorker();
      await waitFor('every batch', async () => {
        const pending = await sql(`SELECT FROM ami_publish_batches WHERE state = 'pending'`);
        return pending.length === 0;
      });
      await worker.stop();
    },
    async post(body: object = {}) {
      const answer = await deployment().post('/api/ami/backfill', { ...BODY, ...body });
      if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
      return answer.body as { backfillId: string; existing: boolean; [field: string]: unknown };
    },
    async progress(id: string): Promise<Progress> {
      return (await deployment().http.get(`/api/ami/backfill/${id}`)).body;
    },
    cancel: (id: string) => deployment().post(`/api/ami/backfill/${id}/cancel`, {}),
    /** The intervals accepted, in the order in which they were, as `09:45`. */
    async accepted(tenantId = TENANT): Promise<string[]> {
      const rows = await sql(
        `SELECT to_char(read_at AT TIME ZONE 'UTC', 'HH24:MI') AS at FROM ami_publishes
         WHERE tenant_id = $1 AND origin = 'backfill' ORDER BY accepted_at, read_at DESC`,
        [tenantId],
      );
      return rows.map(({ at }) => at);
    },
    /** Ends every pending batch as a worker would, without its reads. */
    async writeAll(state: 'done' | 'failed' = 'done', where = 'true') {
      await sql(
        `UPDATE ami_publish_batches SET state = $1, started_at = now(), finished_at = now(),
           failure = CASE WHEN $1 = 'failed' THEN 'it was refused' END, inserted = meters, updated = 0, duplicate = 0,
           skipped = 0
         WHERE state = 'pending' AND ${where}`,
        [state],
      );
    },
    /** For a coverage that knows nothing of what was published: one whole publish for every interval asked about. */
    alwaysMissing: {
      look: async (settings, readAt, as) => {
        const { tenantId, batchSize } = settings;
        const meterCount = settings.meterCount ?? 60;
        return {
          ...NOTHING,
          records: [syntheticPublish({ tenantId, readAt, meterCount, batchSize, ...as })],
        };
      },
    } satisfies Pick<MissingParts, 'look'>,
    neverMissing: { look: async () => NOTHING } satisfies Pick<MissingParts, 'look'>,
  };
}

const NOTHING = { records: [], governing: undefined, pending: [], isOverlapped: false };

const settled = ({ batches }: Progress) => batches.done + batches.failed + batches.cancelled;

describeOnBothBackends('a backfill', (backend) => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment(backend, {}, () => NOW);
  });
  afterEach(() => deployment.close());
  const tools = backfillTools(() => deployment);
  const { sql, post, progress, accepted } = tools;

  it('fills every interval of its span exactly once, the newest first, and adds up at every look', async () => {
    const created = await post();
    expect(created).toEqual({
      ok: true,
      backfillId: expect.any(String),
      tenantId: TENANT,
      from: '2026-06-01T09:00:00.000Z',
      to: BOUNDARY,
      intervals: 4,
      computedMeters: 60,
      computedBatches: 12,
      batchSize: 20,
      estimatedRuntimeSeconds: 0.1,
      existing: false,
      safetyWarnings: [],
    });
    const { backfillId } = created;
    expect(await progress(backfillId)).toMatchObject({
      publishId: backfillId,
      backfillId,
      tenantId: TENANT,
      origin: 'backfill',
      state: 'queued',
      batches: { done: 0, total: 12, failed: 0, cancelled: 0 },
      intervals: { done: 0, total: 4 },
      startedAt: null,
      finishedAt: null,
      estimatedSecondsLeft: 0.1,
    });
    await deployment.startWorker();
    let last = 0;
    const done = await waitFor('the backfill', async () => {
      const seen = await progress(backfillId);
      expect(seen.batches.total).toBe(12);
      expect(settled(seen)).toBeGreaterThanOrEqual(last);
      expect(seen.rows.inserted).toBe(seen.batches.done * 20);
      expect(seen.intervals.done).toBeLessThanOrEqual(Math.floor(seen.batches.done / 3));
      last = settled(seen);
      return seen.state === 'done' && seen;
    });
    expect(done).toMatchObject({
      batches: { done: 12, total: 12, failed: 0, cancelled: 0 },
      rows: { inserted: 240, updated: 0, duplicate: 0, skippedByOutage: 0 },
      intervals: { done: 4, total: 4 },
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
    });
    expect(done).not.toHaveProperty('estimatedSecondsLeft');
    expect(await accepted()).toEqual(['09:45', '09:30', '09:15', '09:00']);
    const reads = await sql(
      `SELECT count(*)::integer AS reads, count(DISTINCT (meter_id, read_at))::integer AS keys,
         count(DISTINCT read_at)::integer AS intervals, min(read_at) AS first, max(read_at) AS last
       FROM meter_reads_electric`,
    );
    expect(reads[0]).toEqual({
      reads: 240,
      keys: 240,
      intervals: 4,
      first: new Date('2026-06-01T09:00:00Z'),
      last: new Date('2026-06-01T09:45:00Z'),
    });
    expect((await deployment.http.get(`/api/ami/publish/${backfillId}`)).body).toEqual(
      await progress(backfillId),
    );

    // Once it is over the same is a new one, which finds everything there.
    const again = await post();
    expect(again.existing).toBe(false);
    const nothing = await waitFor('the second one', async () => {
      const seen = await progress(again.backfillId);
      return seen.state === 'done' && seen;
    });
    expect(nothing).toMatchObject({
      batches: { done: 12, total: 12 },
      intervals: { done: 4 },
      rows: { inserted: 0, duplicate: 0 },
    });
    expect(await accepted()).toHaveLength(4);
    const list = (await deployment.http.get(`/api/ami/backfills?tenantId=${TENANT}`)).body;
    expect(list.backfills.map((entry: Progress) => entry.backfillId)).toEqual([again.backfillId, backfillId]);
  });

  it('is accepted in the background lane alone, and never deeper than its bound', async () => {
    await post({ from: '2026-05-31T10:00:00Z' });
    const feeder = tools.feeder();
    expect(await tools.feedAll(feeder)).toBe(33);
    const lanes = await sql(
      'SELECT is_background, count(*)::integer AS batches FROM ami_publish_batches GROUP BY 1',
    );
    expect(lanes).toEqual([{ is_background: true, batches: 99 }]);
    await tools.writeAll();
  });

  it('goes on where it was when its feeder dies between two intervals, and between two parts of one', async () => {
    await tools.damageInterval('2026-06-01T09:30:00Z');
    const { backfillId } = await post();
    await expect(tools.feedAll(tools.feederThatDiesAfter(2))).rejects.toThrow('died');
    const between = await progress(backfillId);
    expect(between.batches).toMatchObject({ done: 0, total: 12 });
    expect(between.intervals.done).toBe(0);
    await tools.writeAll();
    expect((await progress(backfillId)).intervals.done).toBe(1);
    expect((await progress(backfillId)).batches.done).toBe(4);
    await tools.feedAll(tools.feeder());
    await tools.writeAll();
    await tools.feedAll(tools.feeder());
    expect(await progress(backfillId)).toMatchObject({
      state: 'done',
      batches: { done: 12, total: 12, failed: 0 },
      intervals: { done: 4, total: 4 },
      rows: { inserted: 220 },
    });
    expect(await accepted()).toEqual(['09:45', '09:30', '09:30', '09:15', '09:00']);
  });

  it('fills what is begun and nothing further once it is cancelled', async () => {
    const { backfillId } = await post();
    const admission = tools.admission();
    const one = tools.feeder({
      admission: {
        async admit(publish, alongside) {
          // Comes in between: the interval is looked at, but not accepted.
          if (publish.readAt.toISOString() === '2026-06-01T09:30:00.000Z') {
            await waitFor('the first', async () => (await accepted()).length === 1);
            expect((await tools.cancel(backfillId)).body.state).toBe('cancelled');
          }
          return admission.admit(publish, alongside);
        },
      },
    });
    expect(await one.supply()).toBe(1);
    expect(await tools.feeder().supply()).toBe(0);
    expect(await accepted()).toEqual(['09:45']);
    expect(await progress(backfillId)).toMatchObject({
      state: 'cancelled',
      batches: { done: 0, total: 12, cancelled: 9, failed: 0 },
      finishedAt: null,
    });
    await deployment.startWorker();
    const over = await waitFor('what was begun', async () => {
      const seen = await progress(backfillId);
      return seen.finishedAt !== null && seen;
    });
    expect(over).toMatchObject({
      state: 'cancelled',
      batches: { done: 3, total: 12, cancelled: 9, failed: 0 },
      intervals: { done: 1, total: 4 },
      rows: { inserted: 60 },
    });
    const twice = await tools.cancel(backfillId);
    expect([twice.status, twice.body.state]).toEqual([200, 'cancelled']);
    // And it is not found as one under way.
    expect((await post()).existing).toBe(false);
  });
});

describeOnce('a backfill', () => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
  });
  afterEach(() => deployment.close());
  const tools = backfillTools(() => deployment);
  const { sql, post, progress, accepted } = tools;

  it('is one, however often and by however many it is asked for', async () => {
    const first = await post();
    const again = await post();
    expect(again).toMatchObject({ backfillId: first.backfillId, existing: true, computedBatches: 12 });
    const part = await post({ from: '2026-06-01T09:15:00Z', to: '2026-06-01T09:30:00Z' });
    expect(part).toMatchObject({
      backfillId: first.backfillId,
      existing: true,
      from: '2026-06-01T09:00:00.000Z',
      to: BOUNDARY,
      intervals: 4,
    });
    for (const other of [
      { meterCount: 61 },
      { from: '2026-06-01T08:45:00Z' },
      { seed: 7 },
      { tenantId: 'B' },
    ])
      expect((await post(other)).existing).toBe(false);
    const many = await Promise.all(Array.from({ length: 20 }, () => post({ climate: 'germany' })));
    expect(new Set(many.map(({ backfillId }) => backfillId)).size).toBe(1);
    expect(many.filter(({ existing }) => !existing)).toHaveLength(1);
  });

  it('is done once by two feeders at a time', async () => {
    const { backfillId } = await post({ from: '2026-06-01T04:00:00Z' });
    const [one, other] = [tools.feeder(), tools.feeder()];
    const counts = await Promise.all([one, other, one, other].map(tools.feedAll));
    expect(counts.reduce((sum, count) => sum + count, 0) + (await tools.feedAll(one))).toBe(24);
    const intervals = await accepted();
    expect([intervals.length, new Set(intervals).size]).toEqual([24, 24]);
    await tools.writeAll();
    expect((await progress(backfillId)).state).toBe('done');
  });

  it.each([
    ['finishes an interval of which it has begun a part when it is cancelled', false],
    ['leaves that interval when the rest of it cannot be accepted', true],
  ])('%s', async (_title, isStuck) => {
    await tools.damageInterval('2026-06-01T09:45:00Z');
    const { backfillId } = await post();
    await expect(tools.feedAll(tools.feederThatDiesAfter(1))).rejects.toThrow('died');
    expect((await tools.cancel(backfillId)).body).toMatchObject({
      state: 'cancelled',
      batches: { done: 0, total: 12, cancelled: 11 },
    });
    const stuck = {
      look: async () => {
        throw new Error('stuck');
      },
    };
    await tools.feedAll(tools.feeder(isStuck ? { missingParts: stuck } : {}));
    await tools.writeAll();
    await tools.feedAll(tools.feeder());
    expect(await accepted()).toEqual(isStuck ? ['09:45'] : ['09:45', '09:45']);
    expect(await progress(backfillId)).toMatchObject({
      state: 'cancelled',
      batches: isStuck ? { done: 1, total: 12, cancelled: 11 } : { done: 3, total: 12, cancelled: 9 },
      intervals: { done: isStuck ? 0 : 1, total: 4 },
      rows: { inserted: isStuck ? 20 : 40 },
      finishedAt: expect.any(String),
    });
  });

  it('skips what is there, and a span that is all there takes no time', async () => {
    await deployment.post('/api/ami/publish-once', {
      ...BODY,
      from: undefined,
      readAt: '2026-06-01T09:30:00Z',
    });
    await tools.work();
    const partly = await post();
    await tools.feedAll(tools.feeder());
    expect(await accepted()).toEqual(['09:45', '09:15', '09:00']);
    expect(await progress(partly.backfillId)).toMatchObject({
      batches: { done: 3, total: 12 },
      intervals: { done: 1, total: 4 },
    });
    await tools.writeAll();

    const week = await post({ from: '2026-05-25T10:00:00Z', meterCount: 59 });
    let passes = 0;
    await waitFor('the week', async () => {
      await tools.feeder({ missingParts: tools.neverMissing }).supply();
      passes += 1;
      return (await progress(week.backfillId)).state === 'done';
    });
    // 672 turns of a look each would be as many statements.
    expect(passes).toBeLessThan(10);
    expect(await progress(week.backfillId)).toMatchObject({
      batches: { done: 2016, total: 2016 },
      intervals: { done: 672, total: 672 },
      rows: { inserted: 0 },
      finishedAt: expect.any(String),
    });
  });

  it('has failed when a batch was given up, says why, and asked for again fills what is missing', async () => {
    const { backfillId } = await post();
    await tools.feedAll(tools.feeder());
    await tools.writeAll(
      'failed',
      `batch_number = 1 AND publish_id = (
      SELECT publish_id FROM ami_publishes WHERE read_at = '2026-06-01T09:15:00Z')`,
    );
    expect(await progress(backfillId)).toMatchObject({ state: 'running', failure: 'it was refused' });
    await tools.work();
    const [{ n }] = await sql(
      'SELECT count(*)::integer AS n FROM (SELECT FROM meter_reads_electric GROUP BY read_at HAVING count(*) = 60) whole',
    );
    expect(n).toBe(3);
    const failed = {
      state: 'failed',
      failure: 'it was refused',
      batches: { done: 11, total: 12, failed: 1, cancelled: 0 },
      intervals: { done: 3, total: 4 },
    };
    expect(await progress(backfillId)).toMatchObject(failed);
    await tools.feedAll(tools.feeder());
    expect(await progress(backfillId)).toMatchObject(failed);
    const again = await post();
    expect(again.existing).toBe(false);
    await tools.feedAll(tools.feeder());
    expect(await accepted()).toEqual(['09:45', '09:30', '09:15', '09:00', '09:15']);
    await tools.writeAll();
    expect(await progress(again.backfillId)).toMatchObject({
      state: 'done',
      batches: { done: 12, total: 12 },
      rows: { inserted: 20 },
    });
  });

  it('waits for what others have begun to publish, serves others meanwhile, and fills it in when that fails', async () => {
    let clock = NOW;
    const later = () => {
      clock = new Date(clock.getTime() + 3_000);
    };
    const feeder = tools.feeder({ now: () => clock });
    const first = await post();
    expect(await tools.feedAll(feeder)).toBe(4);
    await tools.cancel(first.backfillId);
    await tools.writeAll(
      'done',
      `publish_id IN (SELECT publish_id FROM ami_publishes WHERE read_at >= '2026-06-01T09:30:00Z')`,
    );
    await sql(`UPDATE ami_publish_batches SET inserted = 0, skipped = meters WHERE state = 'done'`);
    const { backfillId } = await post();
    await post({ tenantId: 'B' });
    expect(await tools.feedAll(feeder)).toBe(4);
    expect(await accepted('B')).toHaveLength(4);
    const waiting = { batches: { done: 6, total: 12 }, intervals: { done: 2, total: 4 }, state: 'running' };
    for (let round = 0; round < 3; round += 1) {
      expect(await progress(backfillId)).toMatchObject(waiting);
      later();
      expect(await feeder.supply()).toBe(0);
    }
    expect(await progress(backfillId)).not.toHaveProperty('failure');
    await tools.writeAll('failed', `tenant_id = '${TENANT}'`);
    expect(await progress(first.backfillId)).toMatchObject({
      state: 'cancelled',
      batches: { done: 6, total: 12, failed: 6 },
      intervals: { done: 2, total: 4 },
    });
    // Not looked at again before its pause is over.
    expect(await feeder.supply()).toBe(0);
    later();
    expect(await tools.feedAll(feeder)).toBe(2);
    // Its own are not waited for.
    expect((await progress(backfillId)).batches).toMatchObject({ done: 6, total: 12 });
    await tools.work();
    expect(await progress(backfillId)).toMatchObject({
      state: 'done',
      batches: { done: 12, total: 12, failed: 0 },
      intervals: { done: 4, total: 4 },
      rows: { inserted: 120 },
    });
    const [{ intervals }] = await sql(
      'SELECT count(DISTINCT read_at)::integer AS intervals FROM meter_reads_electric WHERE tenant_id = $1',
      [TENANT],
    );
    expect(intervals).toBe(2);
  });

  it('finishes an interval that it has begun though its own part of it is pending', async () => {
    await tools.damageInterval('2026-06-01T09:45:00Z');
    await post();
    await expect(tools.feedAll(tools.feederThatDiesAfter(1))).rejects.toThrow('died');
    expect(await tools.feedAll(tools.feeder())).toBe(4);
    expect(await accepted()).toEqual(['09:45', '09:45', '09:30', '09:15', '09:00']);
  });

  it.each([
    ['quarter hours beside hours', 60, 15],
    ['hours beside quarter hours', 15, 60],
  ])(
    'leaves %s alone, and says so, also when the ledger has forgotten them',
    async (_title, old, minutes) => {
      const span = { from: '2026-06-01T06:00:00Z', to: '2026-06-01T10:00:00Z' };
      const energy = async () =>
        (await sql('SELECT count(*)::integer AS reads, sum(kwh)::text AS kwh FROM meter_reads_electric'))[0];
      await post({ ...span, intervalMinutes: old });
      await tools.feedAll(tools.feeder());
      await tools.work();
      const before = await energy();
      expect(before.reads).toBe((240 / old) * 60);
      const total = 240 / minutes;
      const alone = {
        state: 'done',
        intervals: { done: 0, total, overlapped: total },
        rows: { inserted: 0, duplicate: 0 },
      };
      const again = async () => {
        const { backfillId } = await post({ ...span, intervalMinutes: minutes });
        await tools.feedAll(tools.feeder());
        await tools.work();
        await tools.feeder().supply();
        return progress(backfillId);
      };
      expect(await again()).toMatchObject(alone);
      await sql(`UPDATE ami_publishes SET accepted_at = accepted_at - interval '60 days'`);
      const pruned = await pruneLedger(deployment.database.pool, 35, new Date(), Number.POSITIVE_INFINITY);
      expect(pruned).toBe(240 / old - 1);
      expect(await again()).toMatchObject(alone);
      expect(await energy()).toEqual(before);
      // Of the length that they had they may be filled in again.
      const same = await post({ ...span, intervalMinutes: old });
      await tools.feedAll(tools.feeder());
      await tools.work();
      expect(await progress(same.backfillId)).toMatchObject({
        intervals: { done: 240 / old, overlapped: 0 },
        rows: { inserted: 0 },
      });
      expect(await energy()).toEqual(before);
    },
  );

  it('ends at what is not kept any more when it gets there, and says why', async () => {
    let clock = NOW;
    const kept = await createDeployment('postgres', { READS_RETENTION_DAYS: '1' }, () => clock);
    try {
      const span = { from: '2026-05-31T10:15:00Z', to: '2026-05-31T11:15:00Z' };
      const created = await kept.post('/api/ami/backfill', { ...BODY, ...span });
      expect(created.status).toBe(202);
      clock = new Date('2026-06-01T10:40:00Z');
      await kept.startWorker();
      const ended = await waitFor('its end', async () => {
        const { body } = await kept.http.get(`/api/ami/backfill/${created.body.backfillId}`);
        return body.finishedAt !== null && body;
      });
      expect(ended).toMatchObject({
        state: 'cancelled',
        batches: { done: 6, total: 12, failed: 0, cancelled: 6 },
        intervals: { done: 2, total: 4 },
        rows: { inserted: 120 },
        failure:
          'What lies before 2026-05-31T10:45:00.000Z was not filled in: by then it was older than reads are kept (READS_RETENTION_DAYS=1).',
      });
      const { rows } = await kept.database.pool.query(
        'SELECT min(read_at) AS first FROM meter_reads_electric',
      );
      expect(rows[0].first).toEqual(new Date('2026-05-31T10:45:00Z'));
    } finally {
      await kept.close();
    }
  });

  it('keeps its numbers when the ledger forgets what is over, in the middle and at the end', async () => {
    const { backfillId } = await post();
    const room = tools.feeder({
      missingParts: {
        look: async (settings, readAt, as) => {
          if (readAt.toISOString() < '2026-06-01T09:30:00.000Z' && !rest) throw new Error('not yet');
          return tools.alwaysMissing.look(settings, readAt, as);
        },
      },
      now: () => clock,
    });
    let rest = false;
    let clock = NOW;
    expect(await tools.feedAll(room)).toBe(2);
    await tools.writeAll();
    const before = await progress(backfillId);
    expect(before).toMatchObject({
      batches: { done: 6, total: 12 },
      rows: { inserted: 120 },
      failure: 'not yet',
    });
    await room.supply();
    expect(await sql('SELECT FROM ami_backfill_publishes')).toHaveLength(0);
    await sql('DELETE FROM ami_publishes');
    expect(await progress(backfillId)).toEqual(before);
    rest = true;
    clock = new Date(NOW.getTime() + 10_000);
    expect(await tools.feedAll(room)).toBe(2);
    await tools.writeAll();
    await room.supply();
    await sql('DELETE FROM ami_publishes');
    const done = await progress(backfillId);
    expect(done).toMatchObject({
      state: 'done',
      batches: { done: 12, total: 12 },
      intervals: { done: 4 },
      rows: { inserted: 240 },
    });
    expect(done).not.toHaveProperty('failure');
  });

  it('takes turns among tenants, whoever came first and however many it asked for', async () => {
    await post({ tenantId: 'A', from: '2026-05-31T10:00:00Z' });
    await post({
      tenantId: 'A',
      from: '2026-05-29T10:00:00Z',
      to: '2026-05-30T10:00:00Z',
      seed: 'other',
    });
    await post({ tenantId: 'B', from: '2026-06-01T05:00:00Z' });
    await tools.feedAll(tools.feeder());
    const counts = async () =>
      sql(
        `SELECT tenant_id AS tenant, count(*)::integer AS publishes, count(DISTINCT seed)::integer AS seeds
         FROM ami_publishes GROUP BY 1 ORDER BY 1`,
      );
    const first = await counts();
    // 33 at once: 16 or 17 each.
    expect(first.map(({ publishes }) => publishes >= 16)).toEqual([true, true]);
    expect(first[0].publishes + first[1].publishes).toBe(33);
    await tools.writeAll();
    await tools.feedAll(tools.feeder());
    const second = await counts();
    expect(second[1]).toMatchObject({ tenant: 'B', publishes: 20 });
    expect(second[0].publishes).toBe(46);
    expect(second[0].seeds).toBe(2);
  });

  it('tells strangers nothing of what the database says of values, and the log all of it', async () => {
    const warnings: unknown[] = [];
    const feeder = tools.feeder({
      log: { warn: (...line: unknown[]) => void warnings.push(line) },
      missingParts: {
        async look() {
          throw Object.assign(new pg.DatabaseError('invalid input syntax: "Jane Doe"', 0, 'error'), {
            code: '22P02',
          });
        },
      },
    });
    const { backfillId } = await post();
    await tools.feedAll(feeder);
    const { failure } = await progress(backfillId);
    expect(failure).toBe('Postgres refuses it (a data exception, SQLSTATE 22P02)');
    expect(JSON.stringify(warnings)).toContain('Jane Doe');
    expect(JSON.stringify(warnings)).toContain(backfillId);
  });

  it('tries again what cannot be accepted, gives up after some tries, and keeps no other from its turn', async () => {
    let clock = NOW;
    let tries = 0;
    const feeder = tools.feeder({
      now: () => clock,
      missingParts: {
        look: async (settings, readAt, as) => {
          if (settings.tenantId === 'EMPTY') {
            tries += 1;
            throw new ApiError(400, 'registry_empty', 'The registry is empty.');
          }
          return tools.alwaysMissing.look(settings, readAt, as);
        },
      },
    });
    const { backfillId } = await post({ tenantId: 'EMPTY' });
    await post();
    expect(await tools.feedAll(feeder)).toBe(4);
    expect(tries).toBe(1);
    expect(await progress(backfillId)).toMatchObject({ state: 'queued', failure: 'The registry is empty.' });
    for (let round = 0; round < 20; round += 1) {
      clock = new Date(clock.getTime() + 301_000);
      await feeder.supply();
    }
    expect(tries).toBe(8);
    expect(await progress(backfillId)).toMatchObject({
      state: 'failed',
      failure: 'The registry is empty.',
      batches: { done: 0, total: 12, failed: 12, cancelled: 0 },
      finishedAt: expect.any(String),
    });
  });

  it('counts no try while Postgres or the queue is away, and tells of it', async () => {
    const { backfillId } = await post();
    const away = tools.feeder({
      missingParts: {
        look: async () => {
          throw new DependencyUnavailableError('queue', new Error('connection lost'));
        },
      },
    });
    for (let round = 0; round < 10; round += 1)
      await expect(away.supply()).rejects.toThrow('connection lost');
    expect(await progress(backfillId)).toMatchObject({ state: 'queued' });
    expect(await progress(backfillId)).not.toHaveProperty('failure');
    expect(await tools.feedAll(tools.feeder())).toBe(4);
  });

  it('takes what it is not told from the automatic mode, else fills 25,000 meters in batches of 500', async () => {
    const bare = { tenantId: TENANT, from: '2026-06-01T08:00:00Z' };
    const whole = await deployment.post('/api/ami/backfill', bare);
    expect(whole.body).toMatchObject({
      intervals: 8,
      computedMeters: 25_000,
      computedBatches: 400,
      batchSize: 500,
      estimatedRuntimeSeconds: 82.1,
    });
    const started = await deployment.post('/api/ami/auto/start', {
      tenantId: TENANT,
      meterCount: 800,
      feederCount: 16,
      batchSize: 100,
      intervalMinutes: 60,
      seed: '7',
    });
    expect(started.status).toBe(200);
    const auto = await deployment.post('/api/ami/backfill', bare);
    expect(auto.body).toMatchObject({
      intervals: 2,
      computedMeters: 800,
      computedBatches: 16,
      batchSize: 100,
    });
    const [row] = await sql('SELECT * FROM ami_backfills WHERE backfill_id = $1', [auto.body.backfillId]);
    expect(row).toMatchObject({ feeder_count: 16, seed: '7', interval_minutes: 60 });
    const over = await deployment.post('/api/ami/backfill', { ...bare, batchSize: 900, meterCount: 30_000 });
    expect(over.body).toMatchObject({ computedMeters: 25_000, batchSize: 500 });
    expect(over.body.safetyWarnings).toHaveLength(2);
    const small = await deployment.post('/api/ami/backfill', { ...bare, batchSize: 10 });
    expect(small.body).toMatchObject({ computedMeters: 500, computedBatches: 100, batchSize: 10 });
    expect(small.body.safetyWarnings[0]).toContain('at most 50 jobs');
  });

  it('fills the tenant’s own meters, all there are when an interval is come to', async () => {
    const { schema } = deployment.context;
    const grow = (meterCount: number) =>
      synthesizeFleet(deployment.database.pool, schema.registry, TENANT, { meterCount, feederCount: 10 });
    await grow(50);
    const registry = { fleet: 'registry', meterCount: undefined, feederCount: undefined };
    const created = await post(registry);
    expect(created).toMatchObject({ computedMeters: 50, computedBatches: 12, existing: false });
    await expect(tools.feedAll(tools.feederThatDiesAfter(1))).rejects.toThrow('died');
    await grow(70);
    // One batch more an interval: the total follows, and is reached.
    expect((await post(registry)).existing).toBe(true);
    await tools.feedAll(tools.feeder());
    await tools.work();
    const done = await waitFor('the backfill', async () => {
      const seen = await progress(created.backfillId);
      expect(settled(seen)).toBeLessThanOrEqual(seen.batches.total);
      return seen.state === 'done' && seen;
    });
    expect(done).toMatchObject({
      batches: { done: 15, total: 15 },
      intervals: { done: 4, total: 4 },
      rows: { inserted: 50 + 3 * 70 },
    });
  });

  it('keeps to the days of reads that are kept', async () => {
    const kept = await createDeployment('postgres', { READS_RETENTION_DAYS: '2' }, () => NOW);
    try {
      const answer = await kept.post('/api/ami/backfill', { ...BODY, from: '2026-05-30T10:00:00Z' });
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain('than the 2 days of reads that are kept');
      expect((await kept.post('/api/ami/backfill', { ...BODY, from: '2026-05-30T10:15:00Z' })).status).toBe(
        202,
      );
    } finally {
      await kept.close();
    }
  });
});

/** These leave nothing behind: one deployment is enough for them. */
describeOnce('a backfill', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres', {}, () => NOW);
  });
  afterAll(() => deployment.close());
  const tools = backfillTools(() => deployment);

  it.each([
    [{ from: undefined }, 'from must be an ISO 8601 instant'],
    [{ from: 'yesterday' }, 'from must be an ISO 8601 instant'],
    [{ from: '2026-06-01T09:07:00Z' }, 'from must lie on a 15-minute boundary in UTC'],
    [{ intervalMinutes: 60, from: '2026-06-01T08:15:00Z' }, 'from must lie on a 60-minute boundary'],
    [{ to: '2026-06-01T09:31:00Z' }, 'to must lie on a 15-minute boundary'],
    [{ to: '2026-06-01T10:15:00Z' }, `to must not lie in the future: at most ${BOUNDARY}.`],
    [{ from: BOUNDARY }, `from must lie before to, which is ${BOUNDARY}.`],
    [{ from: '2026-06-01T09:30:00Z', to: '2026-06-01T09:15:00Z' }, 'from must lie before to'],
    [{ from: '1999-12-31T00:00:00Z', to: '2000-01-01T00:00:00Z' }, 'from must not lie before the year 2000'],
    [{ from: '2025-05-31T09:45:00Z' }, '366 days before to: 2025-05-31T10:00:00.000Z or later'],
    [{ fleet: 'other' }, 'fleet must be "synthetic" or "registry"'],
    [{ meterCount: 0 }, 'meterCount must be a positive whole number'],
    [{ intervalMinutes: 30 }, 'intervalMinutes must be 15 or 60'],
    [{ seed: '' }, 'seed must be a whole number or 1 to 64 printable ASCII characters.'],
    [{ metercount: 5 }, 'metercount is not a field of this request'],
    [{ fleet: 'registry', meterCount: undefined, feederCount: undefined }, 'found no meters'],
  ])('is refused with %j: %s', async (body, sentence) => {
    const answer = await deployment.post('/api/ami/backfill', { ...BODY, ...body });
    expect(answer.status).toBe(400);
    expect(answer.body.message ?? answer.body.error).toEqual(expect.stringContaining(sentence));
    expect(await tools.sql('SELECT FROM ami_backfills')).toHaveLength(0);
  });

  it('answers 404 for an id that is none, 400 for what is no id, 401 without the key', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect((await deployment.http.get(`/api/ami/backfill/${unknown}`)).status).toBe(404);
    expect((await tools.cancel(unknown)).status).toBe(404);
    expect((await deployment.http.get('/api/ami/backfill/7')).status).toBe(400);
    expect((await deployment.http.get('/api/ami/backfills')).status).toBe(400);
    expect((await deployment.http.post('/api/ami/backfill').send(BODY)).status).toBe(401);
    expect((await deployment.http.post(`/api/ami/backfill/${unknown}/cancel`)).status).toBe(401);
    expect((await deployment.http.get('/api/ami/backfill')).status).toBe(405);
  });
});

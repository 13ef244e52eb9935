import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

interface Progress {
  state: string;
  batches: { done: number; total: number; failed: number; cancelled: number };
  intervals: { done: number; total: number };
  rows: { inserted: number; duplicate: number };
}

/** Real processes, really killed in the middle of a backfill: nothing lost and nothing twice. */
describeOnBothBackends('a backfill by real processes', (backend) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let env: Record<string, string>;
  const processes: ProductProcess[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    const redisUrl = redis?.url ?? inject('redisUrl');
    env = { DATABASE_URL: database.url, ...(backend === 'redis' && redisUrl ? { REDIS_URL: redisUrl } : {}) };
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    await redis?.stop();
    await database.drop();
  });

  const started = async <T extends ProductProcess>(starting: Promise<T>): Promise<T> => {
    const running = await starting;
    processes.push(running);
    return running;
  };
  const post = async (url: string, body: object) => {
    const answer = await fetch(`${url}/api/ami/backfill`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      body: (await answer.json()) as { backfillId: string; existing: boolean },
    };
  };

  it('is whole, each read once, when worker and API are killed -9 in the middle', async () => {
    const body = {
      tenantId: 'DEMO_TENANT',
      from: '2026-01-31T00:00:00Z',
      to: '2026-01-31T03:00:00Z',
      meterCount: 2_000,
      batchSize: 100,
    };
    let api = await started(startApiProcess(env));
    let worker = await started(startWorkerProcess(env));
    const created = await post(api.url, body);
    expect(created.status).toBe(202);
    const { backfillId } = created.body;
    let settled = 0;
    const progress = async (): Promise<Progress> => {
      const answer = await fetch(`${api.url}/api/ami/publish/${backfillId}`);
      const seen = (await answer.json()) as Progress;
      expect(seen.batches).toMatchObject({ total: 240, failed: 0, cancelled: 0 });
      expect(seen.batches.done).toBeGreaterThanOrEqual(settled);
      settled = seen.batches.done;
      return seen;
    };
    const reached = (batches: number) =>
      waitFor(`${batches} batches`, async () => (await progress()).batches.done >= batches);

    await reached(30);
    await worker.kill('SIGKILL');
    worker = await started(startWorkerProcess(env));
    await reached(90);
    await api.kill('SIGKILL');
    api = await started(startApiProcess(env));
    // Asked for again, since nobody knows what became of it.
    expect((await post(api.url, body)).body).toMatchObject({ backfillId, existing: true });
    await reached(150);
    await Promise.all([worker.kill('SIGKILL'), api.kill('SIGKILL')]);
    api = await started(startApiProcess(env));
    await Promise.all([started(startWorkerProcess(env)), started(startWorkerProcess(env))]);

    const done = await waitFor('the backfill', async () => {
      const seen = await progress();
      return seen.state === 'done' && seen;
    });
    expect(done).toMatchObject({
      batches: { done: 240, total: 240 },
      intervals: { done: 12, total: 12 },
      rows: { inserted: 24_000, duplicate: 0 },
    });
    const { rows } = await database.pool.query(
      `SELECT count(*)::integer AS reads, count(DISTINCT (meter_id, read_at))::integer AS keys,
         count(DISTINCT read_at)::integer AS intervals, (SELECT count(*)::integer FROM ami_publishes) AS publishes
       FROM meter_reads_electric`,
    );
    expect(rows[0]).toEqual({ reads: 24_000, keys: 24_000, intervals: 12, publishes: 12 });
  });

  it('writes each batch once when the worker is killed -9 in the middle of a job of fifty', async () => {
    // 10 reads per 0.1 s: the job takes five seconds.
    env.MAX_READS_PER_SECOND = '100';
    const api = await started(startApiProcess(env));
    const worker = await started(startWorkerProcess(env));
    const created = await post(api.url, {
      ...{ tenantId: 'DEMO_TENANT', meterCount: 500, batchSize: 10 },
      ...{ from: '2026-01-31T00:00:00Z', to: '2026-01-31T00:15:00Z' },
    });
    expect(created.status).toBe(202);
    const batches = async () =>
      (
        await database.pool.query(
          `SELECT count(*)::integer AS total, count(*) FILTER (WHERE state = 'done')::integer AS done,
             coalesce(sum(inserted), 0)::integer AS inserted, coalesce(sum(duplicate), 0)::integer AS duplicate
           FROM ami_publish_batches`,
        )
      ).rows[0];
    await waitFor('ten batches', async () => (await batches()).done >= 10);
    await worker.kill('SIGKILL');
    expect((await batches()).done).toBeLessThan(50);
    await started(startWorkerProcess(env));
    await waitFor('all batches', async () => (await batches()).done === 50);
    expect(await batches()).toEqual({ total: 50, done: 50, inserted: 500, duplicate: 0 });
    const { rows } = await database.pool.query(
      'SELECT count(*)::integer AS reads, count(DISTINCT meter_id)::integer AS meters FROM meter_reads_electric',
    );
    expect(rows[0]).toEqual({ reads: 500, meters: 500 });
  });
});

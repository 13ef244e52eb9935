import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

/** Real workers, really killed in the middle of a late delivery: nothing lost and nothing twice. */
describeOnBothBackends('a late delivery by real processes', (backend) => {
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
  const post = async (url: string, path: string, body: object) => {
    const answer = await fetch(`${url}/api/ami/${path}`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'DEMO_TENANT', ...body }),
    });
    expect(answer.ok, JSON.stringify(await answer.clone().json())).toBe(true);
  };
  const one = async (sql: string) => (await database.pool.query(sql)).rows[0];

  it('brings every read once when the worker is killed -9 in the middle of it', async () => {
    const api = await started(startApiProcess(env));
    const outage = { startAt: '2026-01-31T00:00:00Z', durationMinutes: 180, severity: 1, delivery: 'late' };
    for (const feeder of [1, 2, 3, 4])
      await post(api.url, 'event/comms-outage', { feederId: `FEEDER_${feeder}`, ...outage });
    await post(api.url, 'backfill', {
      ...{ from: '2026-01-31T00:00:00Z', to: '2026-01-31T03:00:00Z' },
      ...{ meterCount: 1_000, feederCount: 10, batchSize: 100 },
    });
    let worker = await started(startWorkerProcess(env));
    // 12 intervals of 4 feeders with 100 meters each, in two pieces.
    const delivered = () =>
      one(`SELECT count(*)::integer AS n FROM ami_held_reads WHERE state = 'delivered'`);
    for (const pieces of [10, 50]) {
      await waitFor(`${pieces} pieces`, async () => (await delivered()).n >= pieces);
      await worker.kill('SIGKILL');
      worker = await started(startWorkerProcess(env));
    }
    await waitFor('all reads', async () => {
      const open = await one(
        `SELECT (SELECT count(*) FROM ami_publish_batches WHERE state = 'pending')
           + (SELECT count(*) FROM ami_held_reads WHERE state IN ('held', 'sent'))
           + (SELECT count(*) FROM ami_backfills WHERE finished_at IS NULL) AS n`,
      );
      return Number(open.n) === 0;
    });
    expect(
      await one(
        `SELECT count(*)::integer AS reads, count(DISTINCT (meter_id, read_at))::integer AS keys FROM meter_reads_electric`,
      ),
    ).toEqual({ reads: 12_000, keys: 12_000 });
    expect(
      await one(
        `SELECT sum(inserted) FILTER (WHERE origin = 'late')::integer AS late, sum(inserted)::integer AS reads,
           sum(updated)::integer AS updated FROM ami_publishes JOIN ami_publish_batches USING (publish_id)`,
      ),
    ).toEqual({ late: 4_800, reads: 12_000, updated: 0 });
    expect(
      await one(
        `SELECT sum(reads)::integer AS reads, bool_and(state = 'delivered') AS whole FROM ami_held_reads`,
      ),
    ).toEqual({ reads: 4_800, whole: true });
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { describeOnBothBackends } from '../support/backends.js';
import { BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

/** 10 s of reads take a minute where a dozen processes of other tests have the two cores as well. */
vi.setConfig({ testTimeout: 300_000 });
const WRITTEN_MS = 180_000;

/** Real processes, really killed: nothing lost and nothing twice. */
describeOnBothBackends('a deployment of real processes', (backend) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let env: Record<string, string>;
  const processes: ProductProcess[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    // A Redis of the test's own: these tests wipe and count the whole queue.
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    const redisUrl = redis?.url ?? inject('redisUrl');
    env = { DATABASE_URL: database.url, ...(backend === 'redis' && redisUrl ? { REDIS_URL: redisUrl } : {}) };
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    await redis?.stop();
    await database.drop();
  });

  const api = async () => {
    const started = await startApiProcess(env);
    processes.push(started);
    return started;
  };
  const worker = async () => {
    const started = await startWorkerProcess(env);
    processes.push(started);
    return started;
  };
  const publish = (url: string, body: object) =>
    fetch(`${url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'DEMO_TENANT', ...body }),
    });
  const progress = async (url: string, publishId: string) =>
    (await fetch(`${url}/api/ami/publish/${publishId}`)).json() as Promise<{
      state: string;
      batches: { done: number; total: number };
      rows: { inserted: number; duplicate: number };
    }>;
  const reads = async () =>
    (
      await database.pool.query(
        'SELECT count(*)::integer AS reads, count(DISTINCT meter_id)::integer AS meters FROM meter_reads_electric',
      )
    ).rows[0];

  it('25,000 reads, none twice, when the worker is killed -9 twice in mid-publish', async () => {
    const { url } = await api();
    let current = await worker();
    const accepted = (await (await publish(url, { meterCount: 25_000, batchSize: 500 })).json()) as {
      publishId: string;
    };
    for (const batches of [8, 16]) {
      await waitFor(
        `${batches} batches`,
        async () => (await progress(url, accepted.publishId)).batches.done >= batches,
      );
      await current.kill('SIGKILL');
      current = await worker();
    }
    const done = await waitFor('the publish', async () => {
      const answer = await progress(url, accepted.publishId);
      return answer.state === 'done' && answer;
    });
    expect(done.rows).toMatchObject({ inserted: 25_000, duplicate: 0 });
    expect(await reads()).toEqual({ reads: 25_000, meters: 25_000 });
    const stopped = await current.kill('SIGTERM');
    expect(stopped).toEqual({ code: 0, signal: null });
  });

  it('300 publishes at three API processes at once: each accepted or refused, the depth never over the bound', async () => {
    const apis = await Promise.all([api(), api(), api()]);
    await worker();
    let deepest = 0;
    let watching = true;
    let isAllAnswered = false;
    const watch = async () => {
      while (watching) {
        const answer = await fetch(`${apis[0]?.url}/api/ami/scale/status?tenantId=DEMO_TENANT`);
        if (!answer.ok) continue;
        const { queue } = (await answer.json()) as { queue: { waiting: number; delayed: number } };
        deepest = Math.max(deepest, queue.waiting + queue.delayed);
        // Without a pause only while there are publishes to accept: it takes a core from the worker.
        if (isAllAnswered) await sleep(50);
      }
    };
    // A 503 leaves in doubt whether it was accepted, on a machine too busy to answer in time: it is sent again.
    let inDoubt = 0;
    const answered = async (url: string) => {
      for (;;) {
        const body = { meterCount: 1_000, batchSize: 50, readAt: '2026-01-31T10:00:00Z' };
        const response = await publish(url, body);
        if (response.status !== 503)
          return {
            status: response.status,
            retryAfter: response.headers.get('retry-after'),
            body: await response.json(),
          };
        inDoubt += 1;
        // The same 300 at once without a pause would only keep the machine too busy.
        await sleep(1_000 * Math.random());
      }
    };
    const publishAll = async () => {
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, index) => answered(apis[index % 3]?.url as string)),
      );
      isAllAnswered = true;
      const isWritten = async () => {
        const { rows } = await database.pool.query(
          `SELECT count(*) FILTER (WHERE state = 'done')::integer AS done, count(*)::integer AS all FROM ami_publish_batches`,
        );
        return rows[0].done === rows[0].all && (rows[0].all as number);
      };
      const batches = await waitFor('everything accepted', isWritten, WRITTEN_MS);
      return { answers, batches };
    };
    // The watch ends whatever becomes of the publishes: it must not ask processes that the next test has killed.
    const [{ answers, batches }] = await Promise.all([
      publishAll().finally(() => {
        watching = false;
      }),
      watch(),
    ]);
    const accepted = answers.filter((answer) => answer.status === 202);
    const refused = answers.filter((answer) => answer.status === 429);
    expect(accepted.length + refused.length).toBe(300);
    expect(accepted.length + inDoubt).toBeGreaterThanOrEqual(25);
    for (const { retryAfter, body } of refused) {
      expect(body).toMatchObject({
        ok: false,
        error: 'Backpressure: queue too deep',
        waiting: expect.any(Number),
      });
      expect(Number(retryAfter)).toBeGreaterThan(0);
    }
    expect(batches).toBeGreaterThanOrEqual(accepted.length * 20);
    expect(batches).toBeLessThanOrEqual((accepted.length + inDoubt) * 20);
    expect(deepest).toBeLessThanOrEqual(500);
    expect(await reads()).toEqual({ reads: 1_000, meters: 1_000 });
  });

  it('no rolling second above the limit when two workers come back to a backlog that is all overdue', async () => {
    const { url } = await api();
    for (let round = 0; round < 3; round += 1) {
      await publish(url, { meterCount: 4_000, batchSize: 100, readAt: `2026-01-31T1${round}:00:00Z` });
    }
    // As after an outage: every batch is overdue before a worker comes.
    await waitFor('every due time to pass', async () => {
      const { rows } = await database.pool.query(
        `SELECT max(due_at) < now() AS overdue FROM ami_publish_batches`,
      );
      return rows[0].overdue as boolean;
    });
    await Promise.all([worker(), worker()]);
    const starts = await waitFor('120 batches', async () => {
      const { rows } = await database.pool.query<{ at: number; meters: number }>(
        `SELECT extract(epoch FROM started_at)::double precision AS at, meters FROM ami_publish_batches WHERE state = 'done' ORDER BY 1`,
      );
      return rows.length === 120 && rows;
    });
    const busiest = Math.max(
      ...starts.map(({ at }) =>
        starts
          .filter((other) => other.at >= at && other.at < at + 1)
          .reduce((sum, { meters }) => sum + meters, 0),
      ),
    );
    expect(busiest).toBeLessThanOrEqual(2_500 + 100);
    // The same by the reads' own timestamps, taken by Postgres when each statement arrived: generation and a busy
    // machine come between, hence the tenth more.
    const { rows: arrived } = await database.pool.query<{ busiest: number }>(
      `WITH arrivals AS (SELECT created_at, count(*) AS reads FROM meter_reads_electric GROUP BY created_at)
       SELECT max(second.reads)::integer AS busiest FROM arrivals first, LATERAL (
         SELECT sum(reads) AS reads FROM arrivals
         WHERE created_at >= first.created_at AND created_at < first.created_at + interval '1 s') second`,
    );
    expect(arrived[0]?.busiest).toBeLessThanOrEqual(2_500 * 1.1 + 100);
    expect(await reads()).toMatchObject({ reads: 12_000 });
  });

  it('writes what the queue has lost: its data wiped with everything still to do', async () => {
    const { url } = await api();
    const accepted = (await (await publish(url, { meterCount: 2_000, batchSize: 100 })).json()) as {
      publishId: string;
    };
    if (redis) {
      const { Redis } = await import('ioredis');
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    } else {
      await database.pool.query('DELETE FROM bullmq.job');
    }
    await worker();
    await waitFor('the publish', async () => (await progress(url, accepted.publishId)).state === 'done');
    expect(await reads()).toEqual({ reads: 2_000, meters: 2_000 });
  });
});

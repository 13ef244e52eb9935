import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEPLOYED_BUDGET } from '../support/answerBudget.js';
import { BEARER } from '../support/deployment.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { freePort, startOwnRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

/** What the API says while what it stands on is away, and that it finds back by itself. */
describe('dependencies that go away', () => {
  let database: TestDatabase;
  const processes: ProductProcess[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
  });
  afterAll(() => database.drop());

  /** These run with the deployed budget. The contract is 2 s; twice that tells an answer in time from one that hangs, on a busy machine too. */
  const inTime = () => ({ signal: AbortSignal.timeout(4_000) });
  const publish = (url: string) =>
    fetch(`${url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount: 100, readAt: '2026-01-31T10:00:00Z' }),
      ...inTime(),
    });
  const readiness = async (url: string, query = '') => {
    const response = await fetch(`${url}/readyz${query}`);
    return {
      status: response.status,
      body: (await response.json()) as { error?: string; dependencies: Record<string, { ok: boolean }> },
    };
  };
  const expectUnavailable = async (url: string): Promise<void> => {
    const answers = await Promise.all([
      publish(url),
      publish(url),
      fetch(`${url}/api/ami/scale/status?tenantId=DEMO_TENANT`, inTime()),
      fetch(`${url}/api/ami/status?tenantId=DEMO_TENANT`, inTime()),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({
        ok: false,
        code: 'unavailable',
        requestId: expect.any(String),
      });
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  };

  it('Redis frozen, then killed: 503 in time, nothing accepted, and well again when it is back', async (test) => {
    const redis = await startOwnRedis();
    if (!redis) return test.skip('there is no redis-server or valkey-server on the PATH');
    try {
      const { url } = track(
        await startApiProcess({ DATABASE_URL: database.url, REDIS_URL: redis.url, ...DEPLOYED_BUDGET }),
      );
      expect((await publish(url)).status).toBe(202);
      process.kill(redis.pid as number, 'SIGSTOP');
      await expectUnavailable(url);
      expect(await readiness(url)).toMatchObject({
        status: 503,
        body: { dependencies: { postgres: { ok: true }, queue: { ok: false } } },
      });
      process.kill(redis.pid as number, 'SIGCONT');
      await waitFor('Redis', async () => (await readiness(url)).body.dependencies.queue?.ok);
      // No worker runs, which is no fault of this process.
      expect((await readiness(url)).status).toBe(200);
      expect((await publish(url)).status).toBe(202);
      await redis.stop();
      await expectUnavailable(url);
    } finally {
      await redis.stop();
    }
    const { rows } = await database.pool.query(
      `SELECT count(DISTINCT publish_id)::integer AS pending FROM ami_publish_batches WHERE state = 'pending'`,
    );
    expect(rows[0]?.pending).toBe(2);
  });

  it('Postgres restarted under API and worker: 503 meanwhile, then everything accepted is written', async () => {
    const own = await startOwnPostgres();
    try {
      const { url } = track(await startApiProcess({ DATABASE_URL: own.url, ...DEPLOYED_BUDGET }));
      track(await startWorkerProcess({ DATABASE_URL: own.url }));
      const accepted = (await (
        await fetch(`${url}/api/ami/publish-once`, {
          method: 'POST',
          headers: { ...BEARER, 'Content-Type': 'application/json' },
          body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount: 10_000 }),
        })
      ).json()) as { publishId: string };
      await own.stop();
      await expectUnavailable(url);
      // Nobody can say what the worker does meanwhile, and nothing is said of it.
      expect((await readiness(url)).body.error).toBe('Not ready: postgres and queue does not answer.');
      await own.startAgain();
      const done = await waitFor('the publish', async () => {
        const answer = await fetch(`${url}/api/ami/publish/${accepted.publishId}`);
        const body = (await answer.json()) as { state?: string; rows: object };
        return body.state === 'done' && body;
      });
      expect(done.rows).toMatchObject({ inserted: 10_000, duplicate: 0 });
      await waitFor(
        'everything to be ready',
        async () => (await readiness(url, '?require=worker')).status === 200,
      );
    } finally {
      await own.remove();
    }
  });

  it.each([
    [
      'Postgres away',
      { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' },
      /Postgres at 127\.0\.0\.1:1\/x cannot be used/,
    ],
    ['Redis away', { REDIS_URL: 'redis://:hunter2@127.0.0.1:1' }, /Redis at 127\.0\.0\.1:1 cannot be used/],
    ['a bad variable', { PORT: 'http' }, /^PORT must be a whole number/],
    ['a missing key', { GRIDLENS_API_KEY: '' }, /^GRIDLENS_API_KEY is/],
  ])('start-up fails in one sentence: %s', async (_name, env, expected) => {
    const started = track(startProcess('index', { DATABASE_URL: database.url, ...env }));
    expect((await started.exited).code).toBe(1);
    const lines = started.output().trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
    expect(started.output()).not.toContain('hunter2');
  });

  it('start-up fails in one sentence: the port is taken', async () => {
    const PORT = String(await freePort());
    const env = { DATABASE_URL: database.url, PORT };
    const first = track(startProcess('index', env));
    await waitFor('the first API', async () => first.output().includes('API listening'));
    const second = track(startProcess('index', env));
    expect((await second.exited).code).toBe(1);
    expect(second.output().trim()).toMatch(new RegExp(`^Port ${PORT} on 127\\.0\\.0\\.1 is taken: [^\\n]*$`));
  });
});

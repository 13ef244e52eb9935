import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/db.js';
import { requirePostgres } from '../../src/db/requirePostgres.js';
import { BEARER } from '../support/deployment.js';
import { expectEveryUse } from '../support/everyUse.js';
import { type PgBouncer, pgBouncerBinary, startPgBouncer } from '../support/pgBouncer.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const hasPgBouncer = (await pgBouncerBinary()) !== undefined;

describe.skipIf(!hasPgBouncer)('behind PgBouncer', () => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  const bouncers: PgBouncer[] = [];
  const processes: ProductProcess[] = [];
  const pools: Database[] = [];
  const bouncer = async (
    ...options: Parameters<typeof startPgBouncer> extends [string, ...infer Rest] ? Rest : never
  ) => {
    const started = await startPgBouncer(inject('clusterUrl'), ...options);
    bouncers.push(started);
    return started.url(database.url);
  };
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  const open = (connectionString: string, more: object = {}): Database => {
    const pool = createDatabase({
      connectionString,
      applicationName: 'test',
      maxConnections: 5,
      queryTimeoutMs: 5_000,
      onIdleError: () => undefined,
      ...more,
    });
    pools.push(pool);
    return pool;
  };
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  beforeAll(async () => {
    redis = await startOwnRedis();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    await Promise.all(bouncers.splice(0).map((running) => running.stop()));
    await database.drop();
  });
  afterAll(async () => {
    await redis?.stop();
  });

  const post = async (url: string, path: string, body: object) => {
    const response = await fetch(`${url}/api/ami${path}`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'DEMO_TENANT', ...body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const get = async (url: string, path: string) => {
    const response = await fetch(`${url}/api/ami${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  /** Several publishes beside a replay, and then every use of the product; nothing may be given up. */
  const expectWholeProduct = async (env: Record<string, string>): Promise<void> => {
    const { url } = track(await startApiProcess(env));
    const workers = await Promise.all(
      [startWorkerProcess(env), startWorkerProcess(env)].map((start) => start.then(track)),
    );
    const publishes = await Promise.all(
      ['10:00', '10:15', '10:30'].map((time) =>
        post(url, '/publish-once', { meterCount: 2_000, batchSize: 50, readAt: `2026-01-31T${time}:00Z` }),
      ),
    );
    expect(publishes.map(({ status }) => status)).toEqual([202, 202, 202]);
    const replay = { from: '2026-02-01T00:00:00Z', speed: 60 };
    const replayed = { tenantId: 'REPLAYED', meterCount: 500, replay };
    expect((await post(url, '/auto/start', replayed)).status).toBe(200);
    for (const { body } of publishes) {
      const done = await waitFor('the publish', async () => {
        const answer = (await get(url, `/publish/${body.publishId}`)).body;
        return (answer.state === 'done' || answer.state === 'failed') && answer;
      });
      expect(done).toMatchObject({ state: 'done' });
    }
    await waitFor('the automatic mode', async () => {
      const { rows } = await database.pool.query(
        `SELECT FROM ami_publish_batches JOIN ami_publishes USING (publish_id)
         WHERE ami_publishes.tenant_id = 'REPLAYED' AND state = 'done'`,
      );
      return rows.length > 0;
    });
    for (let asked = 0; asked < 10; asked += 1)
      expect((await get(url, '/kpi/quickcheck?tenantId=DEMO_TENANT')).status).toBe(200);
    const logged = workers.flatMap((worker) => worker.logLines());
    expect(logged.filter(({ msg }) => /given up|prepared statement/.test(String(msg)))).toEqual([]);
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS failed FROM ami_publish_batches WHERE state = 'failed'`,
    );
    expect(rows[0].failed).toBe(0);
    const startWorker = async () => track(await startWorkerProcess(env));
    // The pooler is what every statement goes over.
    const serverDies = () => (bouncers.at(-1) as PgBouncer).dies();
    await expectEveryUse({ url, databaseUrl: database.url, workers, startWorker, serverDies });
  };

  it('P1: start finds out by itself what stands before Postgres, in which mode, and whether names of statements are kept', async () => {
    expect((await requirePostgres(database.url)).pooling).toEqual({ mode: 'none', keepsStatements: true });
    expect((await requirePostgres(await bouncer('session'))).pooling).toEqual({
      mode: 'session',
      keepsStatements: true,
    });
    expect((await requirePostgres(await bouncer('transaction'))).pooling).toEqual({
      mode: 'transaction',
      keepsStatements: false,
    });
    // One connection for all.
    expect((await requirePostgres(await bouncer('transaction', { default_pool_size: 1 }))).pooling).toEqual({
      mode: 'transaction',
      keepsStatements: false,
    });
    await expect(requirePostgres(await bouncer('statement'))).rejects.toThrow(
      /pool_mode to transaction or session/,
    );
  });

  it('P1: in transaction mode statements lose their names from the first mix-up on, where start found none', async () => {
    const url = await bouncer('transaction');
    const statement = { name: 'doubled', text: 'SELECT $1::int * 2 AS doubled', values: [21] };
    const pool = open(url);
    const failed: unknown[] = [];
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 5 }, () => pool.query(statement).catch((error: unknown) => failed.push(error))),
      );
    expect(failed.length).toBeGreaterThan(0);
    const after = await Promise.all(Array.from({ length: 50 }, () => pool.query(statement)));
    expect(after.map(({ rows }) => rows[0].doubled)).toEqual(Array(50).fill(42));
  });

  it('P1: in transaction mode dates are read as ISO, whatever the role has', async () => {
    const { rows } = await database.pool.query('SELECT current_database() AS name');
    await database.pool.query(`ALTER DATABASE ${rows[0].name} SET DateStyle = 'German, DMY'`);
    try {
      const pool = open(await bouncer('transaction'), {
        pooling: { mode: 'transaction', keepsStatements: false },
      });
      const found = await Promise.all(
        Array.from({ length: 20 }, () => pool.query(`SELECT '2026-01-31 10:15Z'::timestamptz AS at`)),
      );
      for (const one of found) expect(one.rows[0].at).toEqual(new Date('2026-01-31T10:15:00Z'));
    } finally {
      await database.pool.query(`ALTER DATABASE ${rows[0].name} RESET DateStyle`);
    }
  });

  it('P1: in transaction mode, with the queue in Redis, publish, tick, event, backfill and quickcheck work and no batch is given up', async (test) => {
    if (!redis) return test.skip('there is no redis-server or valkey-server on the PATH');
    await expectWholeProduct({ DATABASE_URL: await bouncer('transaction'), REDIS_URL: redis.url });
  });

  it('P2: in session mode, with the queue in Postgres, publish, tick, event, backfill and quickcheck work', async () => {
    await expectWholeProduct({ DATABASE_URL: await bouncer('session', { default_pool_size: 60 }) });
  });

  it('P2: in transaction mode, with QUEUE_DATABASE_URL at Postgres itself, publish, tick, event, backfill and quickcheck work', async () => {
    await expectWholeProduct({
      DATABASE_URL: await bouncer('transaction'),
      QUEUE_DATABASE_URL: database.url,
    });
  });

  it.each([
    [
      'a queue in Postgres behind transaction mode',
      {},
      /^DATABASE_URL leads to a pooler in transaction mode.*QUEUE_DATABASE_URL.*REDIS_URL/,
    ],
    [
      'a pooler that refuses options',
      { search: 'options=-c%20search_path%3Dtheirs' },
      /^The pooler at \S+ refuses the options in DATABASE_URL \(PgBouncer's ignore_startup_parameters.*ALTER ROLE/,
    ],
    [
      'a pooler that ignores options',
      { search: 'options=-c%20search_path%3Dtheirs', ignore_startup_parameters: 'options' },
      /^The pooler at \S+ does not pass on search_path from the options in DATABASE_URL \(PgBouncer's ignore_startup_parameters.*ALTER ROLE/,
    ],
  ])(
    'P2: start ends with one sentence that names the setting: %s',
    async (_name, { search = '', ...settings }: Record<string, string>, expected) => {
      const url = new URL(await bouncer('transaction', settings));
      url.search = search;
      const started = track(startProcess('index', { DATABASE_URL: url.href }));
      expect((await started.exited).code).toBe(1);
      expect(started.output().trim().split('\n')).toHaveLength(1);
      expect(started.output()).toMatch(expected);
    },
  );
});

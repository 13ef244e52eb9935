import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import { expectEveryUse } from '../support/everyUse.js';
import { openPool } from '../support/openPool.js';
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { waitFor } from '../support/waitFor.js';

/** As many connections as Azure's smallest server has for its users. */
const USABLE = 35;

describe('a Postgres with 35 connections', () => {
  let own: OwnPostgres;
  let url: string;
  let admin: pg.Pool;
  const processes: ProductProcess[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  beforeAll(async () => {
    own = await startOwnPostgres({
      max_connections: String(USABLE + 3),
      superuser_reserved_connections: '3',
    });
    admin = openPool({ connectionString: own.url, max: 1 });
    // A role without the right to the reserved ones, as on a managed server.
    await admin.query(`CREATE ROLE app LOGIN PASSWORD 'app'`);
    await admin.query('CREATE DATABASE small OWNER app');
    const asApp = new URL(own.url);
    asApp.username = 'app';
    asApp.password = 'app';
    asApp.pathname = '/small';
    url = asApp.href;
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
  });
  afterAll(async () => {
    await admin.end();
    await own.remove();
  });

  it('P3: two APIs and four workers with the queue in it work under load, and none is refused a connection', async () => {
    const env = { DATABASE_URL: url };
    const apis = [track(await startApiProcess(env)), track(await startApiProcess(env))];
    const startWorker = async () => track(await startWorkerProcess(env));
    const workers = await Promise.all(Array.from({ length: 4 }, startWorker));
    let peak = 0;
    const counting = setInterval(() => {
      admin
        .query(`SELECT count(*)::int AS used FROM pg_stat_activity WHERE datname = 'small'`)
        .then(({ rows }) => {
          peak = Math.max(peak, rows[0].used);
        })
        .catch(() => undefined);
    }, 100);
    const published = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const readAt = new Date(Date.UTC(2026, 0, 31, 10, 15 * at)).toISOString();
        const response = await fetch(`${apis[at % 2]?.url}/api/ami/publish-once`, {
          method: 'POST',
          headers: { ...BEARER, 'Content-Type': 'application/json' },
          body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount: 2_500, batchSize: 50, readAt }),
        });
        expect(response.status).toBe(202);
        return ((await response.json()) as { publishId: string }).publishId;
      }),
    );
    const statuses: number[] = [];
    for (const publishId of published) {
      await waitFor('the publish', async () => {
        const [progress, quickcheck] = await Promise.all([
          fetch(`${apis[0]?.url}/api/ami/publish/${publishId}`),
          fetch(`${apis[1]?.url}/api/ami/kpi/quickcheck?tenantId=DEMO_TENANT`),
        ]);
        statuses.push(progress.status, quickcheck.status);
        return ((await progress.json()) as { state?: string }).state === 'done';
      });
    }
    const serverDies = async (): Promise<void> => {
      await own.stop();
      await own.startAgain();
    };
    await expectEveryUse({
      url: apis[0]?.url as string,
      databaseUrl: url,
      workers,
      startWorker,
      serverDies,
    });
    clearInterval(counting);
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThanOrEqual(USABLE);
    const refused = processes.flatMap(
      ({ output }) => output().match(/remaining connection slots|too many clients/g) ?? [],
    );
    expect(refused).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('P3: a line at start compares what a process may take with what there is', async () => {
    const env = { DATABASE_URL: url };
    const said = (api: ProductProcess) =>
      waitFor('the line', async () => {
        const lines = api.logLines().filter(({ msg }) => /^connections: /.test(String(msg)));
        return lines.length > 0 && lines;
      });
    const roomy = track(await startApiProcess(env));
    expect(await said(roomy)).toMatchObject([{ level: 30, mayTake: 6, usable: USABLE }]);
    const greedy = track(await startApiProcess({ ...env, DATABASE_POOL_MAX: '40', QUEUE_POOL_MAX: '3' }));
    expect(await said(greedy)).toMatchObject([
      { level: 40, mayTake: 44, usable: USABLE, msg: expect.stringContaining('lower DATABASE_POOL_MAX') },
    ]);
  });

  it('P3: answers and readiness give the real reason when none is left, until there is one again', async () => {
    const api = track(await startApiProcess({ DATABASE_URL: url }));
    const said = async () => {
      const [ready, status] = await Promise.all(
        ['/readyz', '/api/ami/auto/status?tenantId=DEMO_TENANT'].map(async (path) => {
          const response = await fetch(`${api.url}${path}`);
          const { error = '' } = (await response.json()) as { error?: string };
          return { status: response.status, error };
        }),
      );
      return { ready, status };
    };
    // What a full server says too: 53300.
    await admin.query('ALTER ROLE app CONNECTION LIMIT 0');
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`);
    const full = await waitFor('a full house', async () => {
      const answers = await said();
      return /connection left/.test(answers.ready?.error ?? '') && answers;
    });
    expect(full.ready?.error).toMatch(/has no connection left for this process: raise its max_connections/);
    expect(full.status).toMatchObject({
      status: 503,
      error: expect.stringMatching(
        /^Postgres has no connection left for this process.*; try again shortly\.$/,
      ),
    });
    const refused = track(startProcess('index', { DATABASE_URL: url }));
    expect((await refused.exited).code).toBe(1);
    expect(refused.output().trim()).toMatch(
      /cannot be used \(too many connections[^)]*\): raise its max_connections/,
    );
    await admin.query('ALTER ROLE app CONNECTION LIMIT -1');
    await waitFor('readiness', async () => (await said()).ready?.status === 200);
  });
});

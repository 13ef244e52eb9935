import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/db.js';
import { DIRECT, type Pooling } from '../../src/db/pooling.js';
import { BEARER } from '../support/deployment.js';
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.js';
import { type PgBouncer, pgBouncerBinary, startPgBouncer } from '../support/pgBouncer.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { queuePrefixOf } from '../support/queuePrefix.js';
import { startOwnRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const hasPgBouncer = (await pgBouncerBinary()) !== undefined;

describe('statements', () => {
  let test: TestDatabase;
  let bouncer: PgBouncer | undefined;
  const pools: Database[] = [];
  beforeAll(async () => {
    test = await createTestDatabase('empty');
  });
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    await bouncer?.stop();
    bouncer = undefined;
  });
  afterAll(() => test.drop());

  const open = (connectionString: string, pooling: Pooling, queryTimeoutMs: number): Database => {
    const pool = createDatabase({
      connectionString,
      applicationName: 'test',
      maxConnections: 2,
      queryTimeoutMs,
      boundStatements: true,
      pooling,
      onIdleError: () => undefined,
    });
    pools.push(pool);
    return pool;
  };
  const sleeping = async (): Promise<number> => {
    const { rows } = await test.pool.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`,
    );
    return rows[0].count;
  };

  it.each([
    ['directly', undefined, DIRECT],
    ['in session mode', 'session', { mode: 'session', keepsStatements: true }],
    ['in transaction mode', 'transaction', { mode: 'transaction', keepsStatements: false }],
  ] as const)('P9: end in the server before their caller gives up: %s', async (_name, mode, pooling) => {
    if (mode !== undefined) {
      if (!hasPgBouncer) return;
      bouncer = await startPgBouncer(inject('clusterUrl'), mode);
    }
    // Where no setting of the connection can bound it, a statement is cancelled over a new connection, for which a twentieth
    // of this is left: 50 ms were too few beside other tests.
    const patienceMs = pooling.mode === 'transaction' ? 6_000 : 1_000;
    const pool = open(bouncer?.url(test.url) ?? test.url, pooling, patienceMs);
    await expect(pool.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
    await expect(pool.query('SELECT $1::int, pg_sleep(60)', [1])).rejects.toMatchObject({ code: '57014' });
    expect(await sleeping()).toBe(0);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('P9: keep a bound of the role that is tighter', async () => {
    const url = new URL(test.url);
    url.searchParams.set('options', '-c statement_timeout=300');
    const { rows } = await open(url.href, DIRECT, 60_000).query('SHOW statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '300ms' }]);
  });

  it('Q9: see what was committed while they waited, whatever isolation the role has', async () => {
    const { rows } = await test.pool.query('SELECT current_database() AS name');
    await test.pool.query(
      `ALTER DATABASE ${rows[0].name} SET default_transaction_isolation = 'serializable'`,
    );
    const pool = open(test.url, DIRECT, 5_000);
    const found = await pool.query('SHOW transaction_isolation');
    await test.pool.query(`ALTER DATABASE ${rows[0].name} RESET default_transaction_isolation`);
    expect(found.rows).toEqual([{ transaction_isolation: 'read committed' }]);
  });
});

describe('a Postgres that changes under way', () => {
  let own: OwnPostgres;
  const processes: ProductProcess[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  const sql = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  beforeAll(async () => {
    own = await startOwnPostgres();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
  });
  afterAll(() => own.remove());

  const readiness = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    const body = (await response.json()) as { error?: string; dependencies: Record<string, { ok: boolean }> };
    return { ...body, status: response.status };
  };

  it('P4: the API is not ready while it takes no writes, says so, and is ready again by itself', async () => {
    const { url } = track(await startApiProcess({ DATABASE_URL: own.url }));
    track(await startWorkerProcess({ DATABASE_URL: own.url }));
    await waitFor('readiness', async () => (await readiness(url)).status === 200);
    await sql('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()');
    const away = await waitFor('the reason', async () => {
      const answer = await readiness(url);
      return !answer.dependencies.postgres?.ok && answer;
    });
    expect(away.status).toBe(503);
    expect(away.error).toMatch(/^Not ready: Postgres takes no writes/);
    await sql(
      'SET default_transaction_read_only = off',
      'ALTER SYSTEM RESET default_transaction_read_only',
      'SELECT pg_reload_conf()',
    );
    await waitFor('readiness', async () => (await readiness(url)).status === 200);
  });

  it('P4: while it is away jobs wait in their place, and none is put off beyond its return', async (test) => {
    const redis = await startOwnRedis();
    if (!redis) return test.skip('there is no redis-server or valkey-server on the PATH');
    const { hostname: host, port } = new URL(redis.url);
    const queue = new Queue('gridlens-ami', {
      connection: { host, port: Number(port) },
      prefix: await queuePrefixOf(own.url),
    });
    try {
      const env = { DATABASE_URL: own.url, REDIS_URL: redis.url };
      const { url } = track(await startApiProcess(env));
      const worker = track(await startWorkerProcess(env));
      const response = await fetch(`${url}/api/ami/publish-once`, {
        method: 'POST',
        headers: { ...BEARER, 'Content-Type': 'application/json' },
        body: JSON.stringify({ tenantId: 'RETURN', meterCount: 25_000 }),
      });
      const { publishId } = (await response.json()) as { publishId: string };
      await waitFor('the first batches', async () =>
        worker.logLines().some(({ msg }) => msg === 'batch written'),
      );
      await own.stop();
      // By then every job that failed would have been put off several times.
      await waitFor('five passes that failed', async () =>
        worker
          .logLines()
          .some(({ msg, failedInARow }) => /^dispatch failed/.test(`${msg}`) && Number(failedInARow) >= 5),
      );
      const { active } = await queue.getJobCounts('active');
      // Those that have not had their turn: each is due at its place in the pace.
      const others = await queue.getJobs(['delayed', 'waiting']);
      await own.startAgain();
      expect(active).toBe(8);
      expect(others.length).toBeGreaterThan(0);
      expect(others.filter(({ attemptsMade }) => attemptsMade > 0)).toEqual([]);
      expect(worker.output()).not.toContain('batch failed, to be tried again');
      await waitFor('the publish', async () => {
        const answer = await fetch(`${url}/api/ami/publish/${publishId}`);
        return ((await answer.json()) as { state?: string }).state === 'done';
      });
    } finally {
      await queue.close();
      await redis.stop();
    }
  });

  it('P7: an authority of its own is named in the advice, and TLS is checked in full without lines of warning', async (test) => {
    const authority = await makeAuthority();
    if (!authority) return test.skip('there is no openssl on the PATH');
    await own.addFile('server.crt', authority.certificate);
    await own.addFile('server.key', authority.key);
    await sql('ALTER SYSTEM SET ssl = on', 'SELECT pg_reload_conf()');
    await waitFor('TLS', () =>
      sql('SELECT 1 / current_setting($$ssl$$)::boolean::int').then(
        () => true,
        () => false,
      ),
    );
    const withMode = (search: string) => `${own.url}?${search}`;
    const refused = track(startProcess('index', { DATABASE_URL: withMode('sslmode=require') }));
    expect((await refused.exited).code).toBe(1);
    expect(refused.output().trim()).toMatch(
      /^Postgres at \S+ cannot be used \(self-signed certificate[^)]*\): .*sslrootcert=.*NODE_EXTRA_CA_CERTS=.*no-verify[^\n]*$/,
    );
    const ways = [
      { DATABASE_URL: withMode(`sslmode=verify-full&sslrootcert=${authority.path}`) },
      { DATABASE_URL: withMode('sslmode=require'), NODE_EXTRA_CA_CERTS: authority.path },
      { DATABASE_URL: withMode('sslmode=no-verify') },
    ];
    for (const env of ways) {
      const api = track(await startApiProcess(env));
      expect((await readiness(api.url)).dependencies.postgres?.ok).toBe(true);
      expect(
        api
          .output()
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('{')),
      ).toEqual([]);
    }
    await sql('ALTER SYSTEM RESET ssl', 'SELECT pg_reload_conf()');
  });
});

/** A certificate for 127.0.0.1 that is its own authority; undefined where there is no openssl. */
async function makeAuthority(): Promise<{ path: string; certificate: string; key: string } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-authority-'));
  const [path, keyPath] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  const made = await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyPath, '-out', path],
  ]).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!made) return undefined;
  return { path, certificate: await readFile(path, 'utf8'), key: await readFile(keyPath, 'utf8') };
}

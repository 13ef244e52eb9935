import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/db.js';
import { readFromStandby } from '../../src/db/standbyReads.js';
import { createKpiVersions } from '../../src/kpi/version.js';
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
import { startOwnRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

/** The tests go on from one another: the last one loses the primary. */
describe('a primary with a streaming standby', () => {
  let primary: OwnPostgres;
  let standby: OwnPostgres;
  const processes: ProductProcess[] = [];
  const pools: Database[] = [];
  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  beforeAll(async () => {
    // Its own transactions would change the name of a snapshot in the middle of a test.
    primary = await startOwnPostgres({ autovacuum: 'off' });
    standby = await primary.startStandby();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  afterAll(async () => {
    await standby.remove();
    await primary.remove();
  });

  const ask = async (server: OwnPostgres, sql: string): Promise<Record<string, unknown>> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows[0];
    } finally {
      await client.end();
    }
  };
  const publish = async (url: string, tenantId: string) => {
    const response = await fetch(`${url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId, meterCount: 500, readAt: '2026-01-31T10:00:00Z' }),
    });
    return { status: response.status, ...((await response.json()) as { publishId: string }) };
  };
  const reading = async (url: string, path: string) => {
    const response = await fetch(`${url}/api/ami${path}`);
    const body = (await response.json()) as { totalReads?: number; maxStalenessSeconds?: number };
    return { status: response.status, ...body };
  };
  const totals = (url: string, tenantId: string) => reading(url, `/scale/status?tenantId=${tenantId}`);
  const countOnStandby = async (): Promise<number> => {
    const { count } = await ask(
      standby,
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE application_name = 'gridlens-reads' AND query LIKE '%ami_%'`,
    );
    return count as number;
  };
  const written = (url: string, tenantId: string) =>
    waitFor('the reads', async () => (await totals(url, tenantId)).totalReads === 500);

  it('P4: a standby in DATABASE_URL is refused at start in one sentence', async () => {
    const started = track(startProcess('index', { DATABASE_URL: standby.url }));
    expect((await started.exited).code).toBe(1);
    expect(started.output().trim()).toMatch(
      /^Postgres at \S+ is a standby, which takes no writes: set DATABASE_URL to its primary\.$/,
    );
  });

  it('P5: start warns where a standby follows that commits do not wait for', async () => {
    const api = track(await startApiProcess({ DATABASE_URL: primary.url }));
    const warning = await waitFor('the warning', async () =>
      api.logLines().find(({ standbys }) => standbys === 1),
    );
    expect(warning).toMatchObject({
      level: 40,
      msg: expect.stringMatching(/promoted, it may lack publishes.*synchronous_standby_names/),
    });
  });

  it('P6: KPI and status are read from the standby of DATABASE_READ_URL, which says how old they may be; one that lags, or is away, is done without', async () => {
    const env = { DATABASE_URL: primary.url };
    const reads = { DATABASE_READ_URL: standby.url, DATABASE_READ_MAX_STALENESS_SECONDS: '5' };
    const { url } = track(await startApiProcess({ ...env, ...reads }));
    const startWorker = async () => track(await startWorkerProcess(env));
    const workers = [await startWorker()];
    expect((await publish(url, 'FIRST')).status).toBe(202);
    await written(url, 'FIRST');
    await waitFor('the standby to be asked', async () => {
      const quickcheck = await reading(url, '/kpi/quickcheck?tenantId=FIRST');
      expect(quickcheck).toMatchObject({ status: 200, maxStalenessSeconds: expect.any(Number) });
      return (await totals(url, 'FIRST')).maxStalenessSeconds !== 0 && (await countOnStandby()) > 0;
    });
    await expectEveryUse({ url, databaseUrl: primary.url, workers, startWorker });

    // It receives everything from here on, and shows nothing of it.
    await ask(standby, 'SELECT pg_wal_replay_pause()');
    expect((await publish(url, 'SECOND')).status).toBe(202);
    const caughtUp = await waitFor('the primary to be asked', async () => {
      const answer = await totals(url, 'SECOND');
      return answer.totalReads === 500 && answer;
    });
    expect(caughtUp.maxStalenessSeconds).toBe(0);
    await ask(standby, 'SELECT pg_wal_replay_resume()');
    await waitFor('the standby to be asked again', async () => {
      const answer = await totals(url, 'SECOND');
      expect(answer.status).toBe(200);
      return answer.maxStalenessSeconds !== 0 && answer.totalReads === 500;
    });

    await standby.stop();
    for (let asked = 0; asked < 20; asked += 1)
      expect(await totals(url, 'SECOND')).toMatchObject({ status: 200, totalReads: 500 });
    await standby.startAgain();
    await waitFor('the standby to be asked after its return', async () => {
      const answer = await totals(url, 'SECOND');
      return answer.maxStalenessSeconds !== 0;
    });
    // What is not written from the past is asked of the primary alone.
    expect(await reading(url, '/auto/status?tenantId=FIRST')).not.toHaveProperty('maxStalenessSeconds');
  });

  it('P6: how old an answer of the standby may be is proven, whatever the clocks say', async () => {
    let now = 1_000_000;
    const open = (url: string) => {
      const pool = createDatabase({
        connectionString: url,
        applicationName: 'test',
        maxConnections: 2,
        queryTimeoutMs: 5_000,
        takesWrites: false,
        onIdleError: () => undefined,
      });
      pools.push(pool);
      return pool;
    };
    const reads = readFromStandby(open(primary.url), open(standby.url), 10, () => now);
    const asked = async () => {
      const { rows } = await reads.database.query<{ standby: boolean }>(
        'SELECT pg_is_in_recovery() AS standby',
      );
      return { ...reads.staleness(), ...rows[0] };
    };
    const answer = () => reads.forOneAnswer(asked);
    expect(await answer()).toEqual({ standby: false, maxStalenessSeconds: 0 });
    await waitFor('the proof', async () => {
      await reads.look();
      return (await answer()).standby;
    });
    now += 7_000;
    expect(await answer()).toEqual({ standby: true, maxStalenessSeconds: 7 });
    // An answer that has begun is read to its end on one server.
    await reads.forOneAnswer(async () => {
      now += 4_000;
      expect(await asked()).toEqual({ standby: true, maxStalenessSeconds: 11 });
    });
    expect(await answer()).toEqual({ standby: false, maxStalenessSeconds: 0 });

    // A lost primary proves nothing more, and a standby of something else never did.
    const elsewhere = readFromStandby(open(primary.url), open(primary.url), 10, () => now);
    await expect(elsewhere.look()).rejects.toThrow(/DATABASE_READ_URL is no standby/);
    const other = new URL(standby.url);
    other.pathname = '/postgres';
    const otherDatabase = readFromStandby(open(primary.url), open(other.href), 10, () => now);
    await expect(otherDatabase.look()).rejects.toThrow(/another server, or another database/);
  });

  it('P6: a commit shows on the standby though its snapshot has the same name as before', async () => {
    const [oldest, middle] = [new pg.Client(primary.url), new pg.Client(primary.url)];
    await Promise.all([oldest.connect(), middle.connect()]);
    const pool = openPool({ connectionString: standby.url, max: 1 });
    try {
      const zoneOf = (tenantId: string) =>
        `INSERT INTO ami_tenant_zones (tenant_id, time_zone) VALUES ('${tenantId}', 'Europe/Berlin')`;
      await oldest.query('BEGIN; SELECT pg_current_xact_id()');
      await middle.query(`BEGIN; ${zoneOf('NAMED')}`);
      // It has to write: the commit of one that wrote nothing is sent up to 0.2 s later, and changes the name then.
      await ask(primary, zoneOf('LATER'));
      const replayed = async () => {
        const { lsn } = await ask(primary, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
        await waitFor('the standby', async () => {
          const { reached } = await ask(standby, `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS reached`);
          return reached === true;
        });
        return ask(standby, 'SELECT pg_current_snapshot()::text AS name');
      };
      const snapshot = await replayed();
      const versionOf = createKpiVersions(pool);
      const before = await versionOf('NAMED');
      await middle.query('COMMIT');
      expect(await replayed()).toEqual(snapshot);
      expect((await versionOf('NAMED')).version).not.toBe(before.version);
    } finally {
      await Promise.all([oldest.end(), middle.end(), pool.end()]);
    }
  });

  it('P5, P6: after a failover that loses the tail both processes go on at the second host of DATABASE_URL, and a job of a lost publish is an error', async (test) => {
    const redis = await startOwnRedis();
    if (!redis) return test.skip('there is no redis-server or valkey-server on the PATH');
    try {
      const { host } = new URL(standby.url);
      const both = primary.url.replace(/(@[^/]+)/, `$1,${host}`);
      const env = { DATABASE_URL: `${both}?target_session_attrs=read-write`, REDIS_URL: redis.url };
      const { url } = track(await startApiProcess(env));
      const kept = await publish(url, 'KEPT');
      expect(kept.status).toBe(202);
      await waitFor('the standby', async () => {
        const { found } = await ask(
          standby,
          `SELECT count(*)::int AS found FROM ami_publishes WHERE publish_id = '${kept.publishId}'`,
        );
        return found === 1;
      });
      await standby.stop();
      const lost = await publish(url, 'LOST');
      expect(lost.status).toBe(202);
      await primary.stop();
      await standby.startAgain();
      await ask(standby, 'SELECT pg_promote()');

      const worker = track(await startWorkerProcess(env));
      await waitFor('the publish that was kept', async () => (await totals(url, 'KEPT')).totalReads === 500);
      const error = await waitFor('the job of the lost publish', async () =>
        worker.logLines().find(({ msg }) => msg === 'batch given up'),
      );
      expect(error).toMatchObject({ level: 50 });
      expect(JSON.stringify(error)).toContain(
        `the ledger does not know batch 0 of publish ${lost.publishId}`,
      );
      const writtenFor = worker.logLines().filter(({ msg }) => msg === 'batch written');
      expect(new Set(writtenFor.map(({ publishId }) => publishId))).toEqual(new Set([kept.publishId]));
      expect((await fetch(`${url}/api/ami/publish/${lost.publishId}`)).status).toBe(404);
      expect((await publish(url, 'LOST')).status).toBe(202);
      await written(url, 'LOST');
    } finally {
      await redis.stop();
    }
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../src/contracts/errors.js';
import { requireRedis } from '../../src/queues/redis/requireRedis.js';
import { BEARER } from '../support/deployment.js';
import {
  type ProductProcess,
  startApiProcess,
  startProcess,
  startWorkerProcess,
} from '../support/processes.js';
import { startSentinels, type TestSentinels } from '../support/redisSentinels.js';
import { redisBinary, startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const run = promisify(execFile);

describe.skipIf((await redisBinary()) === undefined)('a Redis that says no', () => {
  let redis: TestRedis;
  let admin: Redis;
  let database: TestDatabase;
  const processes: ProductProcess[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    redis = (await startOwnRedis()) as TestRedis;
    admin = new Redis(redis.url);
    admin.on('error', () => undefined);
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    admin.disconnect();
    await redis.stop();
  });
  afterAll(() => database.drop());

  const track = <T extends ProductProcess>(started: T): T => {
    processes.push(started);
    return started;
  };
  /** The start's look at the server, which every process begins with. */
  const expectRefused = async (redisUrl: string, sentence: RegExp): Promise<void> => {
    const refusal = await requireRedis(redisUrl, '{gridlens:0}').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StartupError);
    expect((refusal as Error).message).toMatch(sentence);
    expect((refusal as Error).message).not.toMatch(/hunter2|\n/);
  };
  /** Each kind of process ends with code 1 and that one sentence. */
  const expectEnd = async (redisUrl: string, sentence: RegExp, more: Record<string, string> = {}) => {
    const env = { DATABASE_URL: database.url, REDIS_URL: redisUrl, ...more };
    const ended = async (entry: 'index' | 'worker'): Promise<void> => {
      const started = track(startProcess(entry, env));
      expect((await started.exited).code).toBe(1);
      expect(started.output().trim().split('\n')).toEqual([expect.stringMatching(sentence)]);
    };
    await Promise.all([ended('index'), ended('worker')]);
  };

  describe('what is no place for a queue', () => {
    let sentinels: TestSentinels;
    beforeAll(async () => {
      sentinels = await startSentinels();
    });
    afterAll(() => sentinels.stop());

    it('Q4: a replica is refused at start', () =>
      expectEnd(
        `redis://127.0.0.1:${sentinels.replica.port}`,
        /is a replica of .*: name the primary in REDIS_URL/,
      ));
    it('Q4: a Sentinel that REDIS_URL names as a server is refused at start', () =>
      expectRefused(
        `redis://127.0.0.1:${sentinels.sentinels[0]?.port}`,
        /is a Sentinel: write redis\+sentinel:\/\/.* in REDIS_URL/,
      ));
    it('Q4: a primary that the Sentinels do not know is refused at start', () =>
      expectRefused(
        sentinels.url.replace('mymaster', 'other'),
        /^The Redis at [^ ]*\/other cannot be used \(.*correct REDIS_URL/,
      ));
  });

  describe('what the server lacks or does not allow', () => {
    it('Q6: a database number that the server does not have is refused at start', () =>
      expectRefused(`${redis.url}/99`, /has no database 99: correct the number in REDIS_URL/));

    it('Q6: a user without a command that the queue needs is refused at start', async () => {
      await admin.call('ACL', 'SETUSER', 'queue', 'on', '>hunter2', '~*', '+@all', '-xadd', '-lpos');
      await expectRefused(
        redis.url.replace('//', '//queue:hunter2@'),
        /does not let the user of REDIS_URL run LPOS, XADD on keys that begin with .*: ACL SETUSER queue /,
      );
    });

    it('Q6: a user who may not touch the keys of the queue is refused at start', async () => {
      await admin.call('ACL', 'SETUSER', 'queue', 'on', '>hunter2', '~other:*', '+@all');
      await expectRefused(redis.url.replace('//', '//queue:hunter2@'), /ACL SETUSER queue ~\{gridlens/);
    });

    it('Q6: a user who may not run INFO is refused at start', async () => {
      await admin.call('ACL', 'SETUSER', 'queue', 'on', '>hunter2', '~*', '+@all', '-info');
      await expectRefused(redis.url.replace('//', '//queue:hunter2@'), /cannot be used \(NOPERM.*\+info/);
    });

    it('Q6: with the rights that the refusal names a publish is written', async () => {
      await admin.call(
        ...(['ACL', 'SETUSER', 'queue', 'on', '>hunter2'] as const),
        ...['~{gridlens*', '+@all', '-@admin', '-@dangerous', '+info'],
      );
      const env = { DATABASE_URL: database.url, REDIS_URL: redis.url.replace('//', '//queue:hunter2@') };
      const api = track(await startApiProcess(env));
      const worker = track(await startWorkerProcess(env));
      await publishAndWait(api.url, '2026-01-31T09:00:00Z');
      expect(`${api.output()}${worker.output()}`).not.toContain('NOPERM');
    });
  });

  const publish = (url: string, readAt: string) =>
    fetch(`${url}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount: 200, batchSize: 50, readAt }),
    });
  const publishAndWait = async (url: string, readAt: string): Promise<void> => {
    const answer = await publish(url, readAt);
    expect(answer.status).toBe(202);
    const { publishId } = (await answer.json()) as { publishId: string };
    await waitFor('the publish', async () => {
      const progress = await fetch(`${url}/api/ami/publish/${publishId}`);
      return ((await progress.json()) as { state: string }).state === 'done';
    });
  };

  describe('a Redis that answers with errors for a while', () => {
    /** For so long the worker is refused: long enough for thousands of tries without a pause. */
    const REFUSED_MS = 8_000;
    /** The target is 1 kB/s; what other work logs in the same seconds is in it. */
    const BYTES_PER_SECOND = 1_000;

    it.each([
      {
        reply: 'OOM',
        begin: async () => admin.config('SET', 'maxmemory', '1'),
        end: async () => admin.config('SET', 'maxmemory', '0'),
        reason: /queue: Redis is out of memory \(OOM\)/,
      },
      {
        reply: 'READONLY',
        begin: async () => admin.call('REPLICAOF', '127.0.0.1', '1'),
        end: async () => admin.call('REPLICAOF', 'NO', 'ONE'),
        reason: /queue: Redis is read-only \(READONLY\)/,
      },
      {
        reply: 'NOPERM',
        begin: async () => admin.call('ACL', 'SETUSER', 'queue', '-evalsha', '-eval', '-set'),
        end: async () => admin.call('ACL', 'SETUSER', 'queue', '+@all'),
        reason: /queue: the user of REDIS_URL may not run a command that the queue needs/,
      },
    ])(
      'Q5: while Redis answers $reply the worker pauses and says so once, /readyz says why, and all goes on after it',
      async ({ begin, end, reason }) => {
        await admin.call('ACL', 'SETUSER', 'queue', 'on', '>hunter2', '~*', '+@all');
        const env = { DATABASE_URL: database.url, REDIS_URL: redis.url.replace('//', '//queue:hunter2@') };
        const api = track(await startApiProcess(env));
        const worker = track(await startWorkerProcess(env));
        await publishAndWait(api.url, '2026-01-31T10:00:00Z');
        const before = worker.output().length;
        const commandsBefore = await failedCommands(admin);
        const started = performance.now();
        await begin();
        const answer = await waitFor('/readyz to say why', async () => {
          const response = await fetch(`${api.url}/readyz`);
          const body = (await response.json()) as {
            error?: string;
            dependencies: Record<string, { ok: boolean }>;
          };
          return response.status === 503 && reason.test(body.error ?? '') && body;
        });
        expect(answer.dependencies.queue?.ok).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, REFUSED_MS - (performance.now() - started)));
        const seconds = (performance.now() - started) / 1000;
        const written = worker.output().slice(before);
        const commands = (await failedCommands(admin)) - commandsBefore;
        process.stdout.write(
          `${Math.round(written.length / seconds)} B/s of log, ${Math.round(commands / seconds)} refused/s\n`,
        );
        expect(written.length / seconds).toBeLessThanOrEqual(BYTES_PER_SECOND);
        // Three workers with two connections each, and the API's and worker's own looks, at one per second at most.
        expect(commands / seconds).toBeLessThanOrEqual(12);
        await end();
        await waitFor('everything to be ready', async () => (await fetch(`${api.url}/readyz`)).ok);
        await waitFor(
          'a publish to be accepted',
          async () => (await publish(api.url, '2026-01-31T11:00:00Z')).status === 202,
        );
        await waitFor('it to be written', async () => {
          const { rows } = await database.pool.query(
            `SELECT count(*)::integer AS n FROM meter_reads_electric WHERE read_at = '2026-01-31T11:00:00Z'`,
          );
          return rows[0].n === 200;
        });
        await database.pool.query('TRUNCATE meter_reads_electric');
      },
    );
  });

  describe('what a person reads', () => {
    it('Q7: an eviction policy that drops jobs is warned of in one JSON line', async () => {
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const api = track(await startApiProcess({ DATABASE_URL: database.url, REDIS_URL: redis.url }));
      const worker = track(await startWorkerProcess({ DATABASE_URL: database.url, REDIS_URL: redis.url }));
      for (const { output } of [api, worker]) {
        const lines = output().trim().split('\n');
        expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
        const about = lines.map((line) => JSON.parse(line)).filter((line) => /noeviction/.test(line.msg));
        expect(about).toEqual([expect.objectContaining({ evictionPolicy: 'allkeys-lru' })]);
      }
    });

    it('Q7: a wrong password is answered with how special characters are written', async () => {
      const password = 'a/b#c?d@e:f%g h+i';
      await admin.config('SET', 'requirepass', password);
      await expectRefused(redis.url.replace('//', '//:hunter2@'), /percent-encoded/);
      await expectRefused(redis.url, /correct user and password in REDIS_URL/);
      const right = redis.url.replace('//', `//:${encodeURIComponent(password)}@`);
      expect((await requireRedis(right, '{gridlens:0}')).target.password).toBe(password);
    });

    it('Q7: a TLS certificate of a private authority is answered with NODE_EXTRA_CA_CERTS, with which a publish is accepted', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'gridlens-tls-'));
      try {
        await certificates(folder);
        const port = Number(new URL(redis.url).port);
        const tlsPort = port > 60_000 ? port - 1_000 : port + 1_000;
        for (const [name, file] of [
          ['tls-ca-cert-file', 'ca.crt'],
          ['tls-cert-file', 'server.crt'],
          ['tls-key-file', 'server.key'],
        ] as const)
          await admin.config('SET', name, join(folder, file)).catch(() => undefined);
        await admin.config('SET', 'tls-auth-clients', 'no');
        await admin.config('SET', 'tls-port', String(tlsPort));
        const url = `rediss://localhost:${tlsPort}`;
        await expectRefused(url, /NODE_EXTRA_CA_CERTS/);
        await expectRefused(`rediss://127.0.0.1:${port}`, /speaks no TLS.* write redis:\/\//);
        const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') };
        await expectEnd(`rediss://127.0.0.1:${tlsPort}`, /as its certificate does/, trusting);
        const env = { DATABASE_URL: database.url, REDIS_URL: url, ...trusting };
        const api = track(await startApiProcess(env));
        expect((await publish(api.url, '2026-01-31T12:00:00Z')).status).toBe(202);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
});

/** How many commands the server has refused or failed so far. */
async function failedCommands(admin: Redis): Promise<number> {
  const stats = await admin.info('errorstats');
  return [...stats.matchAll(/count=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** An authority of the test's own, and a certificate of it for `localhost`. */
async function certificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  await openssl(
    ...'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Test -keyout ca.key -out ca.crt'.split(' '),
  );
  await openssl(
    ...'req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr'.split(' '),
  );
  await openssl(
    ...'x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt'.split(
      ' ',
    ),
  );
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { freePort, redisBinary, startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const redisServer = await redisBinary();

interface Finding {
  check: string;
  state: 'ok' | 'warn' | 'fail';
  sentence: string;
}
interface Answer {
  code: number;
  stdout: string;
  findings: Finding[];
  of(check: string): Finding | undefined;
}

/** Runs the command with an environment that holds nothing else; `--json` unless told. */
function doctor(env: Record<string, string>, args = ['--json']): Promise<Answer> {
  const program = programArguments('commands/doctor', env.TEST_CLOCK_FILE !== undefined);
  const options = { cwd: ROOT, env: { PATH: process.env.PATH ?? '', ...env }, timeout: 100_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, [...program, ...args], options, (error, stdout) => {
      const findings: Finding[] = args.includes('--json') ? JSON.parse(stdout).checks : [];
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ code, stdout, findings, of: (check) => findings.find((one) => one.check === check) });
    });
  });
}

describe('npm run doctor', () => {
  let folder: string;
  let database: TestDatabase;
  let port: string;
  const servers: Server[] = [];
  const redisServers: TestRedis[] = [];
  const deployments: Deployment[] = [];
  const env = (more: Record<string, string> = {}) => ({
    DATABASE_URL: database.url,
    GRIDLENS_DATA_DIR: folder,
    PORT: port,
    ...more,
  });
  const deploy = async (): Promise<Deployment> => {
    const deployment = await createDeployment('postgres');
    deployments.push(deployment);
    return deployment;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridlens-doctor-'));
  });
  beforeEach(async () => {
    database = await createTestDatabase();
    port = String(await freePort());
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    for (const redis of redisServers.splice(0)) await redis.stop();
    for (const deployment of deployments.splice(0)) await deployment.close();
    await database.drop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds nothing to mend where all is well', async () => {
    const deployment = await deploy();
    await deployment.startWorker();
    await waitFor('its first job', async () => {
      const { rows } = await deployment.database.pool.query(
        'SELECT FROM ami_workers WHERE last_job_at IS NOT NULL',
      );
      return rows.length > 0;
    });
    const found = await doctor(env({ DATABASE_URL: deployment.database.url }));
    expect(found.findings.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(found.code).toBe(0);
    expect(found.findings.map(({ check }) => check)).toEqual([
      ...['Node', 'Configuration', 'Disk', 'Port', 'Postgres', 'TLS and pooler', 'Clock', 'Connections'],
      ...['Rights', 'Schema', 'Partitions', 'Worker', 'Schedulers'],
    ]);
  });

  it('says the same in plain lines, without colours off a terminal', async () => {
    const { stdout, code } = await doctor(env(), []);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok {4}Node +Node \d/);
    expect(stdout).toMatch(/^fail {2}Worker +no worker has processed a job yet: .*npm run worker\.$/m);
    expect(stdout).toMatch(/\n\n\d+ ok, \d+ warn, \d+ fail\.\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('names a worker that has stopped', async () => {
    const { code, of } = await doctor(env());
    expect(code).toBe(1);
    expect(of('Worker')).toMatchObject({ state: 'fail' });
    expect(of('Worker')?.sentence).toContain('start one with npm run worker');
  });

  it('names a day without its partition', async () => {
    const { rows } = await database.pool.query(
      `SELECT 'meter_reads_electric_p' || to_char((now() AT TIME ZONE 'UTC')::date + 3, 'YYYYMMDD') AS name,
         to_char((now() AT TIME ZONE 'UTC')::date + 3, 'YYYY-MM-DD') AS day`,
    );
    await database.pool.query(
      `SELECT ami_ensure_read_partition((now() AT TIME ZONE 'UTC')::date + days) FROM generate_series(-1, 7) AS days`,
    );
    await database.pool.query(`DROP TABLE ${rows[0].name}`);
    const { of } = await doctor(env());
    expect(of('Partitions')).toMatchObject({ state: 'fail' });
    expect(of('Partitions')?.sentence).toContain(`no partition for ${rows[0].day}: `);
  });

  it('names a scheduler that is gone, and makes none', async () => {
    const deployment = await deploy();
    const body = { tenantId: 'T', meterCount: 40, feederCount: 10, batchSize: 20 };
    expect((await deployment.post('/api/ami/auto/start', body)).status).toBe(200);
    const well = await doctor(env({ DATABASE_URL: deployment.database.url }));
    expect(well.of('Schedulers')).toEqual({
      check: 'Schedulers',
      state: 'ok',
      sentence: 'automatic mode is on for T, with its scheduler.',
    });
    await deployment.context.ticks.remove('T');
    const { of } = await doctor(env({ DATABASE_URL: deployment.database.url }));
    expect(of('Schedulers')).toMatchObject({ state: 'fail' });
    expect(of('Schedulers')?.sentence).toContain('the scheduler of T is gone');
    expect(await deployment.context.ticks.tenants()).toEqual([]);
  });

  it('names too few connections', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.query(`ALTER DATABASE ${name} CONNECTION LIMIT 7`);
    const { of } = await doctor(env());
    expect(of('Connections')).toMatchObject({ state: 'fail' });
    expect(of('Connections')?.sentence).toMatch(
      /^one API and one worker may take 11, and only \d of 7 are there/,
    );
  });

  it('names rights that a role lacks, and shows no password', async () => {
    const role = `doctor_${randomBytes(6).toString('hex')}`;
    const secret = randomBytes(12).toString('hex');
    await database.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    try {
      const url = new URL(database.url);
      url.username = role;
      url.password = secret;
      const { of, stdout } = await doctor(env({ DATABASE_URL: url.href }));
      expect(of('Rights')).toMatchObject({ state: 'fail' });
      expect(of('Rights')?.sentence).toMatch(
        new RegExp(`GRANT SELECT, INSERT, UPDATE, DELETE ON .* TO ${role};`),
      );
      expect(of('Worker')).toMatchObject({ state: 'warn' });
      expect(stdout).not.toContain(secret);
    } finally {
      await database.pool.query(`DROP ROLE ${role}`);
    }
  });

  it('names a clock that is off', async () => {
    const file = join(folder, 'clock');
    writeFileSync(file, String(-3_600_000));
    const { of } = await doctor(env({ TEST_CLOCK_FILE: file }));
    expect(of('Clock')).toMatchObject({ state: 'fail' });
    expect(of('Clock')?.sentence).toMatch(/clock is 3[56]\d\d s behind the database's: .*NTP/);
  });

  it('names a port that another program has', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
    const { of } = await doctor(env());
    expect(of('Port')).toEqual({
      check: 'Port',
      state: 'fail',
      sentence: `port ${port} is taken by another program: stop that one, or set PORT to a free one.`,
    });
  });

  it.skipIf(redisServer === undefined)(
    'names a Redis that evicts and writes nothing to disk, and writes nothing itself',
    async () => {
      const redis = (await startOwnRedis()) as TestRedis;
      redisServers.push(redis);
      const client = new Redis(redis.url);
      try {
        await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
        const { of } = await doctor(env({ REDIS_URL: redis.url }));
        expect(of('Redis eviction')).toEqual({
          check: 'Redis eviction',
          state: 'fail',
          sentence:
            'maxmemory-policy is allkeys-lru, so Redis may throw jobs away when its memory is full: set it to noeviction.',
        });
        expect(of('Redis persistence')).toMatchObject({ state: 'warn' });
        expect(of('Redis clock')).toMatchObject({ state: 'ok' });
        expect(await client.dbsize()).toBe(0);
      } finally {
        client.disconnect();
      }
    },
  );

  it('is not held up by servers that are away or say nothing', async () => {
    const silent = createServer();
    servers.push(silent);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: silentPort } = silent.address() as { port: number };
    const secret = randomBytes(12).toString('hex');
    const { of, code, stdout } = await doctor(
      env({ DATABASE_URL: `postgres://user:${secret}@127.0.0.1:${silentPort}/gridlens` }),
    );
    expect(code).toBe(1);
    expect(of('Postgres')).toMatchObject({ state: 'fail' });
    expect(of('Schema')).toMatchObject({ state: 'warn' });
    expect(stdout).not.toContain(secret);
  });

  it('tells of a Postgres of npm start that is not there yet, and of one that is not running', async () => {
    const none = await doctor({ GRIDLENS_DATA_DIR: join(folder, 'none'), PORT: port });
    expect(none.of('Postgres')).toMatchObject({ state: 'warn' });
    expect(none.of('Postgres')?.sentence).toContain('run npm start');
    expect(none.code).toBe(0);
    const free = await freePort();
    writeFileSync(join(folder, 'database-url'), `postgres://gridlens:x@127.0.0.1:${free}/gridlens\n`);
    const stopped = await doctor({ GRIDLENS_DATA_DIR: folder, PORT: port });
    expect(stopped.of('Postgres')?.sentence).toBe('the Postgres of npm start is not running: run npm start.');
  });

  it('says what is wrong with the configuration, and looks at the machine all the same', async () => {
    const { findings, code } = await doctor(env({ WORKER_CONCURRENCY: 'many' }));
    expect(code).toBe(1);
    expect(findings.map(({ check, state }) => [check, state])).toEqual([
      ['Node', 'ok'],
      ['Configuration', 'fail'],
    ]);
  });
});

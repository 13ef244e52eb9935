import { hostname } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { startApiProcess } from '../support/processes.js';
import { sendRaw } from '../support/rawConnection.js';
import { createTestDatabase } from '../support/testDatabase.js';

const READS = [
  '/healthz',
  '/readyz',
  '/readyz?require=worker',
  '/api/ami/status?tenantId=T',
  '/api/ami/scale/status?tenantId=T',
  '/api/ami/auto/status?tenantId=T',
  '/api/ami/kpi/quickcheck?tenantId=T',
  '/api/ami/events?tenantId=T',
  '/api/ami/backfills?tenantId=T',
  '/api/ami/schema',
  '/api/ami/nothing',
];

describe('what a stranger learns without a key', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  // On a slow machine a worker that was heard of before all of the tests is not a live one in the last.
  beforeEach(async () => {
    await deployment.database.pool.query('DELETE FROM ami_workers');
    await deployment.database.pool.query(
      `INSERT INTO ami_workers (worker_id, host, pid, concurrency) VALUES (gen_random_uuid(), $1, 31415926, 8)`,
      [hostname()],
    );
  });
  afterAll(() => deployment.close());

  it('no host, process, address, version or statement, in any answer or header', async () => {
    const { hostname: databaseHost, port, password } = new URL(deployment.database.url);
    const secrets = [
      hostname(),
      '31415926',
      `${databaseHost}:${port}`,
      port,
      password,
      'ALTER TABLE',
      'CREATE TABLE',
    ];
    for (const path of READS) {
      const { headers, text } = await deployment.http.get(path);
      for (const secret of secrets.filter((one) => one !== '')) expect(text, path).not.toContain(secret);
      for (const name of ['server', 'x-powered-by', 'via']) expect(headers[name], path).toBeUndefined();
      expect(text, path).not.toMatch(
        /postgres(ql)?:\/\/|PostgreSQL \d|v?\d+\.\d+\.\d+\.\d+|node_modules|\bat .*:\d+:\d+/i,
      );
    }
  });

  it('no part of the answer to a key holder who asks the same at the same time', async () => {
    const ask = async (headers: Record<string, string>) => ({
      isStranger: headers.Authorization === undefined,
      text: (await deployment.http.get('/api/ami/status?tenantId=T').set(headers)).text,
    });
    const askers: Record<string, string>[] = [BEARER, {}, BEARER, {}, {}];
    const answers = await Promise.all(askers.map(ask));
    for (const { isStranger, text } of answers) expect(text.includes('31415926')).toBe(!isStranger);
  });

  it('with a key: the host and process of each worker, and the statements', async () => {
    const status = await deployment.http.get('/api/ami/status?tenantId=T').set(BEARER);
    expect(status.body.workers).toMatchObject([{ host: hostname(), pid: 31_415_926, concurrency: 8 }]);
    const anonymous = await deployment.http.get('/api/ami/status?tenantId=T');
    expect(Object.keys(anonymous.body.workers[0])).toEqual([
      'workerId',
      'concurrency',
      'startedAt',
      'heartbeatAt',
      'lastJobAt',
    ]);
    const schema = await deployment.http.get('/api/ami/schema').set(BEARER);
    expect(schema.body.changes[0].statement).toBe('sql/schema/feeders.sql');
    const open = await deployment.http.get('/api/ami/schema');
    expect(open.body.changes[0]).toMatchObject({ kind: 'create', table: 'public.feeders' });
    expect(open.body.changes[0]).not.toHaveProperty('statement');
  });
});

describe('what a stranger learns when Postgres is gone', () => {
  it('no address, user or database of it', async () => {
    const database = await createTestDatabase();
    const api = await startApiProcess({ DATABASE_URL: database.url });
    try {
      await database.drop();
      const { username, pathname, port } = new URL(database.url);
      for (const path of READS) {
        const { status, text } = await sendRaw(api.url, [`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`]);
        if (path.startsWith('/readyz')) expect(status).toBe(503);
        for (const secret of [pathname.slice(1), `"${username}"`, port])
          expect(text, path).not.toContain(secret);
      }
    } finally {
      await api.kill('SIGKILL');
    }
  });
});

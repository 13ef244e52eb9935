import diagnosticsChannel from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { memoryOf } from '../support/memoryOf.js';
import { type ProductProcess, startApiProcess } from '../support/processes.js';
import { getRequest, openRaw } from '../support/rawHttp.js';
import { startCrowd } from '../support/startCrowd.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const QUICKCHECK = '/api/ami/kpi/quickcheck?tenantId=DEMO_TENANT';

describe('a process that strangers ask', () => {
  let database: TestDatabase;
  let api: ProductProcess & { url: string };
  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApiProcess({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api?.kill('SIGKILL');
    await database.drop();
  });
  const health = async (): Promise<number> => (await fetch(`${api.url}/healthz`)).status;

  it('H1: answers health between 5,000 pipelined reads, long before the last of them', async () => {
    const { socket, counts } = await openRaw(api.url);
    socket.write(getRequest(QUICKCHECK).repeat(5_000));
    await waitFor('the first read', async () => (counts[200] ?? 0) > 0);
    for (let time = 0; time < 10; time += 1) expect(await health()).toBe(200);
    // Handed over all at once, they would have been parsed and begun before the first of these ten.
    expect(counts[200]).toBeLessThan(2_000);
    socket.destroy();
  });

  it('H1: keeps its memory with 50 connections of 2,000 pipelined reads', async () => {
    const before = memoryOf(api.child.pid as number);
    const opened = await Promise.all(Array.from({ length: 50 }, () => openRaw(api.url)));
    for (const { socket } of opened) socket.write(getRequest(QUICKCHECK).repeat(2_000));
    await waitFor('an answer on each', async () => opened.every(({ counts }) => (counts[200] ?? 0) > 0));
    for (let time = 0; time < 10; time += 1) expect(await health()).toBe(200);
    const answered = opened.reduce((sum, { counts }) => sum + (counts[200] ?? 0), 0);
    expect(answered).toBeLessThan(50_000);
    // × 7 when each of them was parsed at once; what is above 1 is mostly what any 3,000 answers leave to be collected.
    expect(memoryOf(api.child.pid as number) / before).toBeLessThan(2.5);
    for (const { socket } of opened) socket.destroy();
  });

  it('H2: answers each poll of a dashboard beside 200 pollers without pause', async () => {
    const crowd = await startCrowd(api.url, { pollers: 200, path: QUICKCHECK });
    await waitFor('the crowd', async () => ((await crowd.counts())[200] ?? 0) > 200);
    const statuses: number[] = [];
    for (let poll = 0; poll < 10; poll += 1) {
      statuses.push((await fetch(`${api.url}${QUICKCHECK}`)).status);
      statuses.push((await fetch(`${api.url}/api/ami/status?tenantId=DEMO_TENANT`)).status);
    }
    await crowd.stop();
    expect(statuses).toEqual(statuses.map(() => 200));
  });
});

describe('readers, key holders and health', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment('postgres');
  });
  afterAll(() => deployment.close());

  /** Lets no read of the rollups end while `work` is done. */
  async function whileReadsHang<T>(work: () => Promise<T>): Promise<T> {
    const client = await deployment.database.pool.connect();
    await client.query('BEGIN; LOCK TABLE ami_feeder_days IN ACCESS EXCLUSIVE MODE');
    try {
      return await work();
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  it('H1, H2: have shares of their own; a full house says so, and the log counts it once per second without stacks', async () => {
    const server = deployment.app.listen(0);
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    const asked = 150;
    const ask = (number: number): Promise<Response> =>
      fetch(`${url}/api/ami/kpi/quickcheck?tenantId=T_${number}`);
    const { answers, waiting } = await whileReadsHang(async () => {
      const refused: { status: number; code: string; retry: string | null }[] = [];
      const all = Array.from({ length: asked }, async (_, number) => {
        const answer = await ask(number);
        const { code } = (await answer.json()) as { code: string };
        if (answer.status !== 200)
          refused.push({ status: answer.status, code, retry: answer.headers.get('Retry-After') });
      });
      await waitFor('refusals', async () => refused.length >= asked - 72);
      expect(refused).toEqual(refused.map(() => ({ status: 503, code: 'busy', retry: '1' })));
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      const ready = (await (await fetch(`${url}/readyz`)).json()) as { dependencies: object };
      expect(ready.dependencies).toMatchObject({ postgres: { ok: true } });
      const published = await deployment.post('/api/ami/publish-once', { tenantId: 'T', meterCount: 10 });
      expect(published.status).toBe(202);
      return { answers: refused, waiting: Promise.all(all) };
    });
    await waiting;
    const lines = () => deployment.logLines.filter(({ msg }) => String(msg).startsWith('As many reads'));
    const counted = (): number => lines().reduce((sum, { refused }) => sum + Number(refused), 0);
    const busy = answers.filter(({ code }) => code === 'busy').length;
    await waitFor('the count in the log', async () => counted() >= busy);
    expect(lines().length).toBeLessThan(busy / 3);
    expect(lines().filter((line) => 'err' in line || JSON.stringify(line).includes('node_modules'))).toEqual(
      [],
    );
    server.close();
  });

  it('H2: equal questions share one answer, which is never older than a write through the same process', async () => {
    // Until all have come Postgres cannot answer: an answer from memory is out before the next one asks.
    let came = 0;
    const count = (): void => {
      came += 1;
    };
    diagnosticsChannel.subscribe('http.server.request.start', count);
    const holder = await deployment.database.pool.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE ami_feeder_days IN ACCESS EXCLUSIVE MODE');
    const asked = Promise.all(
      Array.from({ length: 100 }, () => deployment.http.get('/api/ami/kpi/quickcheck?tenantId=SHARED')),
    );
    await waitFor('all hundred questions', async () => came >= 100);
    diagnosticsChannel.unsubscribe('http.server.request.start', count);
    await holder.query('ROLLBACK');
    holder.release();
    const answers = await asked;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const made = new Set(answers.map(({ body }) => body.generatedAt));
    expect(made.size).toBeLessThan(20);
    const event = await deployment.post('/api/ami/event/theft', {
      ...{ tenantId: 'SHARED', feederId: 'FEEDER_1', severity: 0.5 },
      durationMinutes: 60,
    });
    expect(event.status).toBe(201);
    const after = await deployment.http.get('/api/ami/kpi/quickcheck?tenantId=SHARED');
    expect(after.body.activeEvents).toHaveLength(1);
  });
});

describe('the limit of an address', () => {
  const open = (env: Record<string, string>) => createDeployment('postgres', env);
  const statusesOf = async (deployment: Deployment, count: number, forwardedFor: string) => {
    const statuses: number[] = [];
    for (let time = 0; time < count; time += 1) {
      const answer = await deployment.http
        .get('/api/ami/kpi/quickcheck?tenantId=T')
        .set('X-Forwarded-For', forwardedFor);
      statuses.push(answer.status);
      if (answer.status === 429) {
        expect(answer.body.code).toBe('too_many_requests');
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      }
    }
    return statuses;
  };
  const count = (statuses: number[], status: number): number =>
    statuses.filter((one) => one === status).length;

  it('H2: goes by the address that the trusted proxy saw, whatever the caller wrote before it', async () => {
    const deployment = await open({ TRUSTED_PROXY_HOPS: '1', READS_PER_ADDRESS: '1' });
    expect(count(await statusesOf(deployment, 12, '203.0.113.9'), 200)).toBeGreaterThanOrEqual(10);
    expect(count(await statusesOf(deployment, 12, '198.51.100.1, 203.0.113.9'), 429)).toBeGreaterThan(0);
    expect(count(await statusesOf(deployment, 5, '203.0.113.10'), 200)).toBe(5);
    await deployment.close();
  });

  it('H2: believes nobody unless told to, and by default has room for fifty dashboards behind one address', async () => {
    const alone = await open({ READS_PER_ADDRESS: '1' });
    expect(count(await statusesOf(alone, 15, '203.0.113.9'), 200)).toBe(15);
    await alone.close();
    const deployment = await open({ TRUSTED_PROXY_HOPS: '1' });
    // Fifty that poll every 2 s ask 250 times in the 10 s of a window.
    expect(count(await statusesOf(deployment, 250, '203.0.113.9'), 200)).toBe(250);
    await deployment.close();
  });
});

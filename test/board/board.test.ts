import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openConnections, QUEUE_NAMES, type RawQueue } from '../../src/queues/queueConnections.js';
import { describeOnBothBackends } from '../support/backends.js';
import { API_KEY, BEARER, createDeployment, type Deployment } from '../support/deployment.js';
import { waitFor } from '../support/waitFor.js';

const READ_KEY = 'read-key-0123456789-abcdef';
const QUEUES = '/queues/api/queues';
const basic = (password: string, name = 'anybody') => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

interface ShownQueue {
  name: string;
  counts: Record<string, number>;
  jobs: { id: string; data: Record<string, unknown> }[];
  readOnlyMode: boolean;
  isPaused: boolean;
}

describeOnBothBackends('the board', (backend) => {
  let deployment: Deployment;
  let writable: Deployment;
  beforeAll(async () => {
    deployment = await createDeployment(backend, { GRIDLENS_READ_KEY: READ_KEY });
    writable = await createDeployment(backend, { QUEUES_WRITABLE: 'true' });
  });
  afterAll(async () => {
    await deployment.close();
    await writable.close();
  });
  const publish = async (at: Deployment): Promise<string> => {
    const answer = await at.post('/api/ami/publish-once', { tenantId: 'T', meterCount: 100, batchSize: 10 });
    expect(answer.status).toBe(202);
    return answer.body.publishId;
  };
  const queuesOf = async (at: Deployment, query = ''): Promise<ShownQueue[]> => {
    const answer = await supertest(at.app).get(`${QUEUES}${query}`).set(basic(API_KEY));
    expect(answer.status, answer.text).toBe(200);
    return answer.body.queues;
  };
  const live = (queues: readonly ShownQueue[]): ShownQueue =>
    queues.find(({ name }) => name === QUEUE_NAMES.live) as ShownQueue;

  it('is not seen without a key that may write; the browser is told to ask for one', async () => {
    for (const path of ['/queues', '/queues/', QUEUES, '/queues/static/favicon.ico', '/queues/nowhere'])
      for (const headers of [{}, basic('a-wrong-key-0123456789'), basic(READ_KEY), basic('', API_KEY)]) {
        const answer = await supertest(deployment.app).get(path).set(headers);
        expect(answer.status, path).toBe(401);
        expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="[^"]+", charset="UTF-8"$/);
        expect(answer.body).toMatchObject({ ok: false, code: 'unauthorized' });
      }
    for (const headers of [basic(API_KEY), basic(API_KEY, ''), BEARER])
      expect((await supertest(deployment.app).get('/queues').set(headers)).status).toBe(200);
  });

  it('counts wrong keys and logs them as everywhere, with nothing of what was sent', async () => {
    const guess = (number: number) =>
      supertest(deployment.app)
        .get('/queues')
        .set(basic(`guess-${number}-0123456789`));
    const statuses: number[] = [];
    for (let sent = 0; sent < 25; sent += 1) statuses.push((await guess(sent)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await supertest(deployment.app).get('/queues').set(basic(API_KEY))).status).toBe(200);
    const lines = deployment.logLines.filter(({ msg }) => String(msg).startsWith('refused'));
    expect(lines).toContainEqual(expect.objectContaining({ status: 429, path: '/queues' }));
    const logged = JSON.stringify(deployment.logLines);
    expect(logged).not.toContain('guess-');
    expect(logged).not.toContain(Buffer.from('anybody:guess-').toString('base64').slice(0, 16));
  });

  it('shows the jobs of each queue, and nothing of them that could be secret', async () => {
    const publishId = await publish(deployment);
    const connections = await openConnections(viewOf(deployment));
    const raw = connections.queue(QUEUE_NAMES.live);
    await raw.add('foreign', { password: 'hunter2-hunter2' }, { jobId: 'foreign' });
    const queues = await queuesOf(deployment, `?activeQueue=${QUEUE_NAMES.live}&jobsPerPage=50`);
    expect(queues.map(({ name }) => name)).toEqual(Object.values(QUEUE_NAMES));
    const { jobs, readOnlyMode } = live(queues);
    expect(readOnlyMode).toBe(true);
    expect(jobs.filter(({ data }) => data.publishId === publishId)).toHaveLength(10);
    expect(jobs.find(({ id }) => id === 'foreign')?.data).toEqual({ password: '…' });
    for (const path of ['', '/foreign', `/${publishId}_0`]) {
      const { text, status } = await supertest(deployment.app)
        .get(
          path === '' ? `${QUEUES}?activeQueue=${QUEUE_NAMES.live}` : `${QUEUES}/${QUEUE_NAMES.live}${path}`,
        )
        .set(basic(API_KEY));
      expect(status, path).toBe(200);
      for (const secret of ['hunter2', API_KEY, READ_KEY]) expect(text).not.toContain(secret);
    }
    await raw.close();
    await connections.close();
  });

  it('changes nothing unless the deployment says so: the server refuses', async () => {
    const publishId = await publish(deployment);
    const at = `${QUEUES}/${QUEUE_NAMES.live}`;
    for (const [method, path] of [
      ['put', `${at}/pause`],
      ['put', `${QUEUES}/pause`],
      ['put', `${at}/empty`],
      ['put', `${at}/obliterate`],
      ['put', `${at}/${publishId}_0/clean`],
      ['put', `${at}/clean/failed`],
      ['post', `${at}/add`],
      ['patch', `${at}/${publishId}_0/update-data`],
      ['delete', at],
    ] as const) {
      const answer = await supertest(deployment.app)[method](path).set(basic(API_KEY)).send({});
      expect([answer.status, answer.body.code], path).toEqual([403, 'forbidden']);
      expect(answer.body.error).toContain('QUEUES_WRITABLE=true');
    }
    const shown = live(await queuesOf(deployment, `?activeQueue=${QUEUE_NAMES.live}&jobsPerPage=100`));
    expect(shown.isPaused).toBe(false);
    expect(shown.jobs.filter(({ data }) => data.publishId === publishId)).toHaveLength(10);
  });

  it('pauses, resumes and removes a job where it may, by requests of its own page alone', async () => {
    const publishId = await publish(writable);
    const at = `${QUEUES}/${QUEUE_NAMES.live}`;
    const put = (path: string, headers: Record<string, string> = {}) =>
      supertest(writable.app)
        .put(path)
        .set({ ...basic(API_KEY), ...headers });
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://elsewhere.example' },
      { Origin: 'null' },
    ])
      expect((await put(`${at}/pause`, headers as Record<string, string>)).status).toBe(403);
    expect(live(await queuesOf(writable)).isPaused).toBe(false);
    expect((await put(`${at}/pause`, { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
    expect(live(await queuesOf(writable)).isPaused).toBe(true);
    expect((await put(`${at}/resume`)).status).toBe(200);
    expect(live(await queuesOf(writable)).isPaused).toBe(false);
    expect((await put(`${at}/${publishId}_3/clean`)).status).toBeLessThan(300);
    expect((await supertest(writable.app).get(`${at}/${publishId}_3`).set(basic(API_KEY))).status).toBe(404);
  });

  it('does not save the data of a job, of which it shows only a part', async () => {
    const publishId = await publish(writable);
    const job = `${QUEUES}/${QUEUE_NAMES.live}/${publishId}_3`;
    const answer = await supertest(writable.app)
      .patch(`${job}/update-data`)
      .set(basic(API_KEY))
      .send({ jobData: { publishId: 'another' } });
    expect(answer.status).toBe(404);
    const shown = await supertest(writable.app).get(job).set(basic(API_KEY));
    expect(JSON.stringify(shown.body)).toContain(publishId);
    expect(JSON.stringify(shown.body)).not.toContain('another');
  });

  it('answers a page of 100 jobs at most, whatever is asked for, of a queue that has kept many', async () => {
    const connections = await openConnections(viewOf(deployment));
    const raw = connections.queue(QUEUE_NAMES.background);
    await keepMany(raw, 3_000);
    const query = `?activeQueue=${QUEUE_NAMES.background}&status=waiting`;
    const shown = (await queuesOf(deployment, `${query}&jobsPerPage=100000`)).find(
      ({ name }) => name === QUEUE_NAMES.background,
    );
    expect(shown?.counts.waiting).toBe(3_000);
    expect(shown?.jobs).toHaveLength(100);
    const last = (await queuesOf(deployment, `${query}&page=30&jobsPerPage=100`)).find(
      ({ name }) => name === QUEUE_NAMES.background,
    );
    expect(last?.jobs).toHaveLength(100);
    await raw.close();
    await connections.close();
  });

  it('answers one after the other, and refuses who comes when many wait', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => supertest(deployment.app).get(QUEUES).set(basic(API_KEY))),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses).toContain(200);
    await waitFor(
      'the board to answer',
      async () => (await supertest(deployment.app).get(QUEUES).set(basic(API_KEY))).status === 200,
    );
  });

  it('is under the policy of the product, but for its base', async () => {
    const { headers, text } = await supertest(deployment.app).get('/queues').set(basic(API_KEY));
    expect(headers['content-security-policy']).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;font-src 'self';connect-src 'self';base-uri 'self';form-action 'none';frame-ancestors 'none'",
    );
    expect(headers['x-powered-by']).toBeUndefined();
    expect(text).not.toMatch(/https?:\/\//);
    for (const [, name] of text.matchAll(/(?:src|href)="(static\/[^"]+)"/g))
      expect((await supertest(deployment.app).get(`/queues/${name}`).set(basic(API_KEY))).status, name).toBe(
        200,
      );
  });

  function viewOf(at: Deployment) {
    return {
      redisUrl: at.config.redisUrl,
      databaseUrl: at.database.url,
      prefix: at.queuePrefix,
      onError: () => undefined,
    };
  }
});

async function keepMany(queue: RawQueue, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1_000)
    await queue.addBulk(
      Array.from({ length: 1_000 }, () => ({ name: 'b', data: {}, opts: { jobId: randomUUID() } })),
    );
}

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { openQueues } from '../../src/queues/openQueues.js';
import { openConnections, QUEUE_NAMES } from '../../src/queues/queueConnections.js';
import { describeOnBothBackends } from '../support/backends.js';
import { createDeployment, type Deployment } from '../support/deployment.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

describeOnBothBackends('jobs that have ended', (backend) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  /** A queue of the test's own, and a view of it as BullMQ sees it. */
  const openQueue = async () => {
    const prefix = `{test-${randomUUID()}}`;
    const redisUrl = backend === 'redis' ? inject('redisUrl') : undefined;
    const options = { redisUrl, databaseUrl: database.url, prefix, onError: () => undefined };
    const connections = await openConnections(options);
    const raw = connections.queue(QUEUE_NAMES.live);
    return { options, connections, raw };
  };

  it('Q8: a completed job leaves nothing in the queue, also one that an earlier version added', async () => {
    const { options, connections, raw } = await openQueue();
    const { queue, ticks, connections: own } = await openQueues(options);
    const payload = (batch: number) => ({ publishId: randomUUID(), batch }) as never;
    await queue.add(
      Array.from({ length: 25 }, (_, batch) => ({
        ...{ payload: payload(batch), lane: 'live' as const, delayMs: 0 },
      })),
    );
    await raw.addBulk(Array.from({ length: 25 }, (_, index) => ({ name: 'b', data: { index }, opts: {} })));
    const ran = new Set<string>();
    const worker = queue.work(async ({ id }) => ran.add(id), {
      ...{ lane: 'live', concurrency: 5, onCompleted: () => undefined },
      ...{ onFailed: () => undefined, onError: () => undefined },
    });
    await waitFor('the queue to be empty', async () => {
      const counts = await raw.getJobCounts('completed', 'waiting', 'active', 'failed');
      return Object.values(counts).every((count) => count === 0);
    });
    expect(ran.size).toBe(50);
    await worker.close();
    await raw.close();
    await connections.close();
    await ticks.close();
    await queue.close();
    await own.close();
  });

  it('Q8: completed jobs that an earlier version kept are removed at start, and waiting ones are not', async () => {
    const { options, connections, raw } = await openQueue();
    await raw.addBulk(Array.from({ length: 20 }, (_, index) => ({ name: 'b', data: { index }, opts: {} })));
    let done = 0;
    const keeping = connections.worker(QUEUE_NAMES.live, async () => undefined, {});
    keeping.on('completed', () => {
      done += 1;
    });
    await waitFor('the jobs', async () => done === 20);
    await keeping.close();
    await raw.add('b', {}, {});
    expect(await raw.getJobCounts('completed', 'waiting')).toEqual({ completed: 20, waiting: 1 });
    const { queue, ticks, connections: own } = await openQueues(options);
    expect(await raw.getJobCounts('completed', 'waiting')).toEqual({ completed: 0, waiting: 1 });
    await raw.close();
    await connections.close();
    await ticks.close();
    await queue.close();
    await own.close();
  });
});

describeOnBothBackends('what the status routes say of jobs that have ended', (backend) => {
  let deployment: Deployment;
  beforeEach(async () => {
    deployment = await createDeployment(backend);
  });
  afterEach(() => deployment.close());

  it("Q8: the tenant's completed batches are counted from the ledger", async () => {
    await deployment.startWorker();
    const answer = await deployment.post('/api/ami/publish-once', {
      ...{ tenantId: 'TENANT-A', meterCount: 100, feederCount: 5, batchSize: 10 },
    });
    const { publishId } = answer.body;
    await waitFor(
      'the publish',
      async () => (await deployment.http.get(`/api/ami/publish/${publishId}`)).body.state === 'done',
    );
    for (const route of ['status', 'scale/status', 'auto/status']) {
      const completed = async (tenantId: string) =>
        (await deployment.http.get(`/api/ami/${route}?tenantId=${tenantId}`)).body.queue.completed;
      expect([route, await completed('TENANT-A'), await completed('TENANT-B')]).toEqual([route, 10, 0]);
    }
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnections, QUEUE_NAMES } from '../../src/queues/queueConnections.js';
import { createProducerRedis } from '../../src/queues/redis/redisClients.js';
import { parseRedisUrl } from '../../src/queues/redis/redisUrl.js';
import { openTickQueue } from '../../src/queues/tickQueue.js';
import { type FailoverResult, failover } from '../endurance/redisFailover.js';
import { createDeployment } from '../support/deployment.js';
import { failingMaster, failingPrimary } from '../support/failingRedis.js';
import { queuePrefixOf } from '../support/queuePrefix.js';
import { startRedisCluster, type TestCluster } from '../support/redisCluster.js';
import type { Node } from '../support/redisNodes.js';
import { startSentinels, type TestSentinels } from '../support/redisSentinels.js';
import { redisBinary } from '../support/redisServer.js';
import { startRelay } from '../support/relay.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const OFTEN = { 15: '*/2 * * * * *', 60: '*/4 * * * * *' };
const INTERVAL = { tenantId: 'DEMO_TENANT', meterCount: 200, feederCount: 2, batchSize: 50 };

/** What a deployment does with its queue: a publish, ticks, the automatic mode, an event, a backfill. */
async function everyUse(redisUrl: string): Promise<void> {
  const deployment = await createDeployment('redis', { REDIS_URL: redisUrl });
  try {
    await deployment.startWorker();
    const reads = async (where: string): Promise<number> =>
      (
        await deployment.database.pool.query(
          `SELECT count(*)::integer AS n FROM meter_reads_electric WHERE ${where}`,
        )
      ).rows[0].n;
    const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const published = await deployment.post('/api/ami/publish-once', {
      ...INTERVAL,
      readAt: `${day}T10:00:00Z`,
    });
    expect(published.status).toBe(202);
    await waitFor('the publish', async () => (await reads(`read_at = '${day}T10:00:00Z'`)) === 200);
    const event = await deployment.post('/api/ami/event/comms-outage', {
      ...{ tenantId: 'DEMO_TENANT', feederId: 'FEEDER_1', durationMinutes: 30, severity: 1 },
    });
    expect(event.status).toBe(201);
    expect((await deployment.post('/api/ami/auto/start', { ...INTERVAL, catchUpIntervals: 1 })).status).toBe(
      200,
    );
    await waitFor('the automatic mode', async () => (await reads(`read_at > now() - interval '1 hour'`)) > 0);
    const backfill = await deployment.post('/api/ami/backfill', {
      ...INTERVAL,
      from: `${day}T12:00:00Z`,
      to: `${day}T13:00:00Z`,
    });
    expect(backfill.status).toBe(202);
    await waitFor(
      'the backfill',
      async () => (await reads(`read_at > '${day}T11:00:00Z' AND read_at < '${day}T14:00:00Z'`)) === 800,
    );
    expect((await deployment.http.get('/readyz')).status).toBe(200);
    await ticks(redisUrl);
  } finally {
    await deployment.close();
  }
}

async function ticks(redisUrl: string): Promise<void> {
  const onError = (): void => undefined;
  const prefix = `{test-${randomUUID()}}`;
  const connections = await openConnections({ redisUrl, databaseUrl: '', prefix, onError });
  const queue = openTickQueue(connections, onError, { patterns: OFTEN });
  const slots: number[] = [];
  const worker = queue.work(
    { onTick: async (_tenant, slot) => void slots.push(slot.getTime()), onHeartbeat: async () => undefined },
    { onError },
  );
  try {
    expect(await queue.ensure({ tenantId: 'DEMO_TENANT', intervalMinutes: 15 }, new Date())).toBe('made');
    await waitFor('three ticks', async () => slots.length >= 3);
    expect(new Set(slots).size).toBe(slots.length);
  } finally {
    await worker.close();
    await queue.close();
    await connections.close();
  }
}

/** How long it took is shown and not judged here: the machine is shared. `npm run endurance -- redis-failover` judges. */
function expectWhole(result: FailoverResult): void {
  process.stdout.write(`failover: ${JSON.stringify(result)}\n`);
  expect(result).toMatchObject({ reads: result.wanted, distinctReads: result.wanted, duplicates: 0 });
}

describe.skipIf((await redisBinary()) === undefined)('on a Redis Cluster', () => {
  let cluster: TestCluster;
  let database: TestDatabase;
  /** The node that was killed, in the first test that needs one killed. */
  let dead: Node | undefined;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await cluster.stop();
  });

  it('Q3: on a Redis Cluster that was down for a while, workers that wait for jobs take jobs again', async () => {
    const onError = (): void => undefined;
    const prefix = `{test-${randomUUID()}}`;
    const connections = await openConnections({ redisUrl: cluster.url, databaseUrl: '', prefix, onError });
    const queue = connections.queue(QUEUE_NAMES.live);
    queue.on('error', onError);
    const took = Array.from({ length: 6 }, () => 0);
    const workers = took.map((_, number) => {
      const worker = connections.worker(
        QUEUE_NAMES.live,
        async () => {
          took[number] = (took[number] ?? 0) + 1;
          // Long enough for the next job to go to another worker.
          await sleep(300);
        },
        { concurrency: 1, drainDelay: 1 },
      );
      worker.on('error', onError);
      return worker;
    });
    await connections.ready();
    // Nobody serves this slot, so the cluster says that it is down; its nodes answer all the same.
    const unserved = '0';
    const owner = await cluster.masterOfSlot(0);
    await Promise.all(cluster.nodes.map((node) => node.ask('CLUSTER', 'DELSLOTS', unserved).catch(onError)));
    await waitFor('the cluster to be down', async () =>
      (await Promise.all(cluster.nodes.map((node) => node.ask('CLUSTER', 'INFO')))).every((info) =>
        String(info).includes('cluster_state:fail'),
      ),
    );
    await sleep(6_000);
    await owner.ask('CLUSTER', 'ADDSLOTS', unserved);
    let added = 0;
    await waitFor('every worker to take a job', async () => {
      await queue.add('job', {}, { jobId: `job-${added}`, removeOnComplete: true }).then(
        () => {
          added += 1;
        },
        () => undefined,
      );
      return took.every((count) => count > 0);
    });
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
    await connections.close();
  });

  it('Q3: on a Redis Cluster, found out at start from one node, publish, tick, automatic mode, event and backfill work', () =>
    everyUse(cluster.url));

  it('Q3: on a Redis Cluster whose master is killed in the middle of a publish nothing is lost or written twice', async () => {
    const master = await cluster.masterOf(await queuePrefixOf(database.url));
    dead = master;
    expectWhole(await failover(database.url, failingMaster(cluster, master)));
  });

  it('Q3: on a Redis Cluster, named by several hosts of which the first is dead, ticks come', async () => {
    const first = dead ?? (cluster.nodes[0] as Node);
    first.kill('SIGKILL');
    await waitFor('the failover', () => cluster.hasReplaced(first));
    const hosts = [first, ...cluster.nodes.filter((node) => node !== first)];
    await ticks(`redis://${hosts.map(({ port }) => `127.0.0.1:${port}`).join(',')}`);
  });
});

describe.skipIf((await redisBinary()) === undefined)('behind Redis Sentinel', () => {
  let sentinels: TestSentinels;
  let database: TestDatabase;
  beforeAll(async () => {
    sentinels = await startSentinels();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await sentinels.stop();
  });

  it('Q4: behind Redis Sentinel publish, tick, automatic mode, event and backfill work', () =>
    everyUse(sentinels.url));

  it('Q4: a client whom the Sentinels tell of the new primary while it asks one of them for the address connects again', async () => {
    const own = await startSentinels();
    const relay = await startRelay((own.sentinels[0] as Node).port);
    const client = createProducerRedis(
      {
        target: parseRedisUrl(
          `redis+sentinel://${[relay, ...own.sentinels.slice(1)].map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`,
        ),
        ...{ versionInfo: '', evictionPolicy: undefined },
      },
      () => undefined,
    );
    try {
      await waitFor('the client to listen to all Sentinels', async () => {
        const clients = await Promise.all(own.sentinels.map((sentinel) => sentinel.ask('CLIENT', 'LIST')));
        return clients.every((list) => / sub=1 /.test(String(list)));
      });
      let ended = 0;
      client.on('end', () => {
        ended += 1;
      });
      // The client asks the first Sentinel for the address, and has no answer yet when the others announce the new primary.
      relay.trouble(() => ({ stage: 0, trouble: { halfOpen: true } }));
      own.primary.kill('SIGKILL');
      await waitFor('all Sentinels to name the new primary', async () => {
        const answers = await Promise.all(
          own.sentinels.map((sentinel) => sentinel.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')),
        );
        return answers.every((answer) => String(answer).endsWith(`,${own.replica.port}`));
      });
      // Their announcements are on the way to the client for some milliseconds.
      await sleep(3_000);
      expect(ended).toBe(0);
      await relay.close();
      await waitFor('the client to have ended', async () => ended > 0);
      await waitFor('the client to write to the new primary', () =>
        client.set('{test}:after', '1').then(
          () => true,
          () => false,
        ),
      );
    } finally {
      client.disconnect();
      await own.stop();
    }
    await waitFor('the client to be closed', async () => client.status === 'end');
  });

  it('Q4: behind Redis Sentinel, with the primary killed in the middle of a publish, nothing is lost or written twice', async () => {
    expectWhole(await failover(database.url, failingPrimary(sentinels)));
  });
});

import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnections, QUEUE_NAMES } from '../../src/queues/queueConnections.js';
import { API_KEY, createDeployment, type Deployment } from '../support/deployment.js';
import { startRedisCluster, type TestCluster } from '../support/redisCluster.js';
import { redisBinary } from '../support/redisServer.js';

const KEPT = 20_000;

describe.skipIf((await redisBinary()) === undefined)('the board on a Redis Cluster', () => {
  let cluster: TestCluster;
  let deployment: Deployment;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    deployment = await createDeployment('redis', { REDIS_URL: cluster.url });
  });
  afterAll(async () => {
    await deployment?.close();
    await cluster?.stop();
  });

  it(`shows the first and the last page of ${KEPT} jobs, under the prefix of the deployment`, async () => {
    const connections = await openConnections({
      ...{ redisUrl: cluster.url, databaseUrl: '', prefix: deployment.queuePrefix, onError: () => undefined },
    });
    const queue = connections.queue(QUEUE_NAMES.background);
    for (let from = 0; from < KEPT; from += 1_000)
      await queue.addBulk(
        Array.from({ length: 1_000 }, (_, index) => ({
          ...{ name: 'b', data: {}, opts: { jobId: `kept_${from + index}` } },
        })),
      );
    const shown = async (page: number) => {
      const answer = await supertest(deployment.app)
        .get('/queues/api/queues')
        .query({ activeQueue: QUEUE_NAMES.background, status: 'waiting', page, jobsPerPage: 100 })
        .auth('anybody', API_KEY);
      expect(answer.status, answer.text).toBe(200);
      return answer.body.queues.find(({ name }: { name: string }) => name === QUEUE_NAMES.background);
    };
    const first = await shown(1);
    const last = await shown(KEPT / 100);
    expect(first.counts.waiting).toBe(KEPT);
    const ids = [...first.jobs, ...last.jobs].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(200);
    expect(ids).toContain('kept_0');
    expect(ids).toContain(`kept_${KEPT - 1}`);
    await queue.close();
    await connections.close();
  });
});

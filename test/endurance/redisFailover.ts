import { parseArgs } from 'node:util';
import type pg from 'pg';
import { BEARER } from '../support/deployment.js';
import { type FailingRedis, failingMaster, failingPrimary } from '../support/failingRedis.js';
import { openPool } from '../support/openPool.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { queuePrefixOf } from '../support/queuePrefix.js';
import { startRedisCluster } from '../support/redisCluster.js';
import { startSentinels } from '../support/redisSentinels.js';
import { waitFor } from '../support/waitFor.js';

export interface FailoverResult {
  /** From the kill until another server had taken over, as the servers say, ms. */
  failoverMs: number;
  /** From then to the start of the next batch, ms. */
  nextBatchMs: number;
  /** From the kill until a publish was accepted with its jobs in the queue, ms. */
  acceptedMs: number;
  reads: number;
  distinctReads: number;
  duplicates: number;
  wanted: number;
}

/** All that one publish may be in batches of 100. */
const METERS = 20_000;
const AFTERWARDS = 1_000;

/** Kills the queue's server in the middle of a publish of 20,000 reads, with an API and two workers. */
export async function failover(databaseUrl: string, redis: FailingRedis): Promise<FailoverResult> {
  const database = openPool({ connectionString: databaseUrl, max: 2 });
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url };
  const processes: ProductProcess[] = [];
  try {
    const api = await startApiProcess(env);
    processes.push(api, ...(await Promise.all([startWorkerProcess(env), startWorkerProcess(env)])));
    const first = await publish(api.url, METERS, '2026-01-31T10:00:00Z');
    await waitFor('a fifth of the publish', async () => (await doneBatches(database)) >= 50);
    await redis.kill();
    const killedAt = Date.now();
    const acceptance = waitFor('a publish after the failover', async () => {
      const answer = await send(api.url, AFTERWARDS, '2026-01-31T11:00:00Z');
      // What a 503 leaves in doubt is accepted at most once: the same interval is asked for again.
      return answer.status === 202 && ((await answer.json()) as { publishId: string }).publishId;
    }).then((publishId) => ({ publishId, at: Date.now() }));
    await waitFor('the failover', redis.hasFailedOver);
    const failedOverAt = Date.now();
    const nextAt = await waitFor('the next batch', () => firstStartAfter(database, failedOverAt));
    const accepted = await acceptance;
    for (const publishId of [first, accepted.publishId])
      await waitFor(`publish ${publishId}`, () => isDone(api.url, publishId), 120_000);
    const { rows } = await database.query(
      `SELECT (SELECT count(*) FROM meter_reads_electric)::integer AS reads,
         (SELECT count(*) FROM (SELECT DISTINCT tenant_id, meter_id, read_at FROM meter_reads_electric) one)::integer
           AS "distinctReads",
         (SELECT sum(duplicate) FROM ami_publish_batches WHERE publish_id = $1)::integer AS duplicates`,
      [first],
    );
    return {
      failoverMs: failedOverAt - killedAt,
      nextBatchMs: nextAt - failedOverAt,
      acceptedMs: accepted.at - killedAt,
      ...rows[0],
      wanted: METERS + AFTERWARDS,
    };
  } finally {
    await Promise.all(processes.map((running) => running.kill('SIGKILL')));
    await database.end();
  }
}

function send(url: string, meterCount: number, readAt: string): Promise<Response> {
  return fetch(`${url}/api/ami/publish-once`, {
    method: 'POST',
    headers: { ...BEARER, 'Content-Type': 'application/json' },
    body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount, batchSize: 100, readAt }),
  });
}

async function publish(url: string, meterCount: number, readAt: string): Promise<string> {
  const answer = await send(url, meterCount, readAt);
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { publishId: string }).publishId;
}

async function isDone(url: string, publishId: string): Promise<boolean> {
  const answer = await fetch(`${url}/api/ami/publish/${publishId}`);
  return answer.ok && ((await answer.json()) as { state: string }).state === 'done';
}

async function doneBatches(database: pg.Pool): Promise<number> {
  const { rows } = await database.query(
    `SELECT count(*)::integer AS done FROM ami_publish_batches WHERE state = 'done'`,
  );
  return rows[0].done;
}

async function firstStartAfter(database: pg.Pool, at: number): Promise<number | undefined> {
  const { rows } = await database.query(
    `SELECT extract(epoch FROM min(started_at)) * 1000 AS at FROM ami_publish_batches
     WHERE started_at > to_timestamp($1::double precision / 1000)`,
    [at],
  );
  return rows[0].at === null ? undefined : Number(rows[0].at);
}

export const ABOUT =
  'the server of the queue killed in the middle of a publish, on a Redis Cluster and behind Redis Sentinel';
export const OPTIONS = '--rounds N (3), --kind cluster|sentinel (both, one after the other, unless told)';

/** The next batch begins so soon after another server has taken over, ms. */
const NEXT_BATCH_MS = 2_000;

/** Starts the servers of one kind: the Redis that is to be killed, and how all of them are stopped. */
const KINDS = {
  async cluster(databaseUrl: string) {
    const cluster = await startRedisCluster();
    const master = await cluster.masterOf(await queuePrefixOf(databaseUrl));
    return { redis: failingMaster(cluster, master), stop: cluster.stop };
  },
  async sentinel() {
    const sentinels = await startSentinels();
    return { redis: failingPrimary(sentinels), stop: sentinels.stop };
  },
};

/** The long form: several rounds of each kind, each with servers of its own. */
export async function run(args: string[], print: (line: string) => void): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string', default: '3' }, kind: { type: 'string' } },
  });
  let passed = true;
  for (const [kind, start] of Object.entries(KINDS)) {
    if (values.kind !== undefined && values.kind !== kind) continue;
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      const postgres = await startOwnPostgres();
      const { redis, stop } = await start(postgres.url);
      const result = await failover(postgres.url, redis);
      await stop();
      await postgres.remove();
      const isGood = isWhole(result) && result.nextBatchMs <= NEXT_BATCH_MS;
      passed &&= isGood;
      print(`${kind}, round ${round}: ${sentenceOf(result)}${isGood ? '' : ' FAILED'}`);
    }
  }
  return passed;
}

function isWhole({ reads, distinctReads, duplicates, wanted }: FailoverResult): boolean {
  return reads === wanted && distinctReads === wanted && duplicates === 0;
}

function sentenceOf(result: FailoverResult): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const { failoverMs, nextBatchMs, acceptedMs, reads, wanted, duplicates } = result;
  return `failed over after ${seconds(failoverMs)}, the next batch began ${seconds(nextBatchMs)} later, a publish was accepted ${seconds(acceptedMs)} after the kill; ${reads} of ${wanted} reads, ${duplicates} twice`;
}

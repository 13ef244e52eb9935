import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type FailingRedis, failingMaster, failingPrimary } from '../support/failingRedis.js';
import { queuePrefixOf } from '../support/queuePrefix.js';
import { startRedisCluster } from '../support/redisCluster.js';
import { startSentinels } from '../support/redisSentinels.js';
import { redisBinary, startOwnRedis } from '../support/redisServer.js';
import { waitFor } from '../support/waitFor.js';

export const BACKENDS = ['postgres', 'redis', 'sentinel', 'cluster'] as const;
export type Backend = (typeof BACKENDS)[number];

/** The servers that hold the queue, and what may befall them. */
export interface QueueServers {
  /** REDIS_URL; undefined for the queue in Postgres. */
  url: string | undefined;
  /** Of the one server; undefined for other kinds. */
  port?: number;
  /** Wipes all of its data. */
  wipe(): Promise<void>;
  /** One server: `kill -9`, away for so long, then anew and empty. */
  outage?(ms: number): Promise<void>;
  /** One server: it answers nothing for so long. */
  freeze?(ms: number): Promise<void>;
  /** Sentinel and cluster: the server that holds the queue is killed, and another takes over. */
  failover?(): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined where this machine has no Redis. */
export async function startQueueServers(
  backend: Backend,
  pool: () => pg.Pool,
  databaseUrl: string,
): Promise<QueueServers | undefined> {
  if (backend === 'postgres') return queueInPostgres(pool);
  if ((await redisBinary()) === undefined) return undefined;
  if (backend === 'redis') return oneRedis();
  return backend === 'sentinel' ? behindSentinels() : onCluster(databaseUrl);
}

function queueInPostgres(pool: () => pg.Pool): QueueServers {
  return {
    url: undefined,
    wipe: async () => void (await pool().query('DELETE FROM bullmq.job')),
    stop: async () => undefined,
  };
}

async function oneRedis(): Promise<QueueServers> {
  const redis = await startOwnRedis();
  if (redis === undefined) throw new Error('there is no redis-server');
  const { Redis } = await import('ioredis');
  return {
    url: redis.url,
    port: Number(new URL(redis.url).port),
    async wipe() {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    },
    async outage(ms) {
      await redis.kill();
      await sleep(ms);
      await redis.startAgain();
    },
    async freeze(ms) {
      process.kill(redis.pid as number, 'SIGSTOP');
      await sleep(ms);
      process.kill(redis.pid as number, 'SIGCONT');
    },
    stop: redis.stop,
  };
}

async function behindSentinels(): Promise<QueueServers> {
  const sentinels = await startSentinels();
  const { primary, replica } = sentinels;
  const failing = failingPrimary(sentinels);
  return {
    url: sentinels.url,
    wipe: async () => void (await ((await failing.hasFailedOver()) ? replica : primary).ask('FLUSHALL')),
    failover: () => untilFailedOver(failing),
    stop: sentinels.stop,
  };
}

async function onCluster(databaseUrl: string): Promise<QueueServers> {
  const cluster = await startRedisCluster();
  const key = await queuePrefixOf(databaseUrl);
  return {
    url: cluster.url,
    wipe: async () => void (await (await cluster.masterOf(key)).ask('FLUSHALL')),
    failover: async () => untilFailedOver(failingMaster(cluster, await cluster.masterOf(key))),
    stop: cluster.stop,
  };
}

async function untilFailedOver(redis: FailingRedis): Promise<void> {
  await redis.kill();
  await waitFor('the failover', redis.hasFailedOver);
}

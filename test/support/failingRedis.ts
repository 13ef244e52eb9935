import type { TestCluster } from './redisCluster.js';
import type { Node } from './redisNodes.js';
import type { TestSentinels } from './redisSentinels.js';

/** A Redis that can lose the server which holds the queue. */
export interface FailingRedis {
  url: string;
  /** Kills the server that holds the queue with `kill -9`. */
  kill(): Promise<void>;
  /** Whether another serves what it served. */
  hasFailedOver(): Promise<boolean>;
}

/** A cluster of which `master` is killed, which holds the queue. */
export function failingMaster(cluster: TestCluster, master: Node): FailingRedis {
  return {
    url: cluster.url,
    kill: async () => master.kill('SIGKILL'),
    hasFailedOver: () => cluster.hasReplaced(master),
  };
}

/** A primary that is killed while Sentinels watch it. */
export function failingPrimary({ url, primary, replica }: TestSentinels): FailingRedis {
  return {
    url,
    kill: async () => primary.kill('SIGKILL'),
    hasFailedOver: async () => String(await replica.ask('INFO', 'replication')).includes('role:master'),
  };
}

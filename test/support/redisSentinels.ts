import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Node, startNodes } from './redisNodes.js';
import { waitFor } from './waitFor.js';

export interface TestSentinels {
  /** Of Sentinels, as REDIS_URL names them. */
  url: string;
  sentinels: Node[];
  primary: Node;
  replica: Node;
  stop(): Promise<void>;
}

/** A primary with a replica, and three Sentinels that watch them; they fail over after `downMs` and a vote. */
export async function startSentinels(downMs = 1_500): Promise<TestSentinels> {
  const servers = await startNodes(2, () => ['--save', '', '--repl-diskless-sync-delay', '0']);
  const [primary, replica] = servers.nodes as [Node, Node];
  await replica.ask('REPLICAOF', '127.0.0.1', String(primary.port));
  await waitFor('the replica', async () =>
    String(await replica.ask('INFO', 'replication')).includes('master_link_status:up'),
  );
  const watchers = await startNodes(3, async (port, folder) => {
    const file = join(folder, `sentinel-${port}.conf`);
    await writeFile(file, configuration(primary.port, downMs));
    // What redis-sentinel is too, where it is installed.
    return [file, '--sentinel'];
  });
  const sentinels = watchers.nodes;
  await waitFor('the Sentinels to know each other and the replica', async () => {
    const answers = await Promise.all(
      sentinels.map(async (sentinel) => String(await sentinel.ask('SENTINEL', 'MASTER', 'mymaster'))),
    );
    return answers.every((text) => text.includes('num-other-sentinels,2') && text.includes('num-slaves,1'));
  });
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`,
    sentinels,
    primary,
    replica,
    async stop() {
      await watchers.stop();
      await servers.stop();
    },
  };
}

function configuration(primaryPort: number, downMs: number): string {
  return [
    `sentinel monitor mymaster 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds mymaster ${downMs}`,
    'sentinel failover-timeout mymaster 10000',
    '',
  ].join('\n');
}

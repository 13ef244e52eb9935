import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Node, type Nodes, startNodes } from './redisNodes.js';
import { redisBinary } from './redisServer.js';
import { waitFor } from './waitFor.js';

const run = promisify(execFile);

export interface TestCluster extends Nodes {
  /** One node's address, as a deployment that does not know of clusters would name it. */
  url: string;
  /** The node that is master of the slot of `key` now. */
  masterOf(key: string): Promise<Node>;
  masterOfSlot(slot: number): Promise<Node>;
  /** Whether, by what the others say, all slots are served and none by `dead`. */
  hasReplaced(dead: Node): Promise<boolean>;
}

/** An entry of CLUSTER SLOTS: first slot, last slot, host and port of its master. */
type SlotRange = [number, number, [string, number]];

/** Three masters with a replica each; a dead master's replica takes over after `timeoutMs` and an election. */
export async function startRedisCluster(timeoutMs = 2_000): Promise<TestCluster> {
  const servers = await startNodes(6, (port) => [
    ...['--save', '', '--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`],
    // The bus is at port + 10,000 by default, which may be no port at all.
    ...['--cluster-port', String(port > 50_000 ? port - 10_000 : port + 10_000)],
    ...['--cluster-node-timeout', String(timeoutMs), '--cluster-replica-validity-factor', '0'],
    ...['--repl-diskless-sync-delay', '0'],
  ]);
  const { nodes } = servers;
  const [first] = nodes as [Node];
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const cli = ((await redisBinary()) ?? '').replace(/-server$/, '-cli');
  await run(cli, ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']);
  await waitFor('the cluster and its replicas', async () =>
    (await Promise.all(nodes.map(isSettled))).every((settled) => settled),
  );
  const masterOfSlot = async (slot: number): Promise<Node> => {
    const range = (await slotsOf(first)).find(([from, to]) => from <= slot && slot <= to);
    return nodes.find(({ port }) => port === range?.[2][1]) as Node;
  };
  return {
    ...servers,
    url: `redis://${addresses[0]}`,
    masterOf: async (key) => masterOfSlot(Number(await first.ask('CLUSTER', 'KEYSLOT', key))),
    masterOfSlot,
    async hasReplaced(dead) {
      const views = await Promise.all(
        nodes
          .filter((node) => node !== dead)
          .map(async (node) => ({
            info: String(await node.ask('CLUSTER', 'INFO')),
            slots: await slotsOf(node),
          })),
      );
      return views.every(
        ({ info, slots }) =>
          info.includes('cluster_state:ok') && slots.every((range) => range[2][1] !== dead.port),
      );
    },
  };
}

async function slotsOf(node: Node): Promise<SlotRange[]> {
  return (await node.ask('CLUSTER', 'SLOTS')) as SlotRange[];
}

/** Whether a node knows the whole cluster, and holds its master's data where it is a replica. */
async function isSettled(node: Node): Promise<boolean> {
  const info = String(await node.ask('CLUSTER', 'INFO'));
  const role = String(await node.ask('INFO', 'replication'));
  return (
    info.includes('cluster_state:ok') &&
    info.includes('cluster_known_nodes:6') &&
    (role.includes('role:master') || role.includes('master_link_status:up'))
  );
}

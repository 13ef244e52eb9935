import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, redisBinary } from './redisServer.js';

/** A Redis server of a cluster, one that Sentinels watch, or a Sentinel. */
export interface Node {
  port: number;
  /** As `kill -9` does; the others find out by themselves. */
  kill(signal: NodeJS.Signals): void;
  ask(...command: string[]): Promise<unknown>;
}

export interface Nodes {
  nodes: Node[];
  stop(): Promise<void>;
}

/**
 * Starts servers on free ports, with one folder for all.
 *
 * @param argumentsOf what `redis-server` is started with, but for port and folder. It may write a file into the folder.
 */
export async function startNodes(
  count: number,
  argumentsOf: (port: number, folder: string) => string[] | Promise<string[]>,
): Promise<Nodes> {
  const binary = await redisBinary();
  if (binary === undefined) throw new Error('there is no redis-server');
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-redis-'));
  const started: { node: Node; stop: () => Promise<void> }[] = [];
  for (let index = 0; index < count; index += 1) {
    const port = await freePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    own.push('--pidfile', join(folder, `${port}.pid`));
    started.push(await startNode(binary, port, [...(await argumentsOf(port, folder)), ...own]));
  }
  return {
    nodes: started.map(({ node }) => node),
    async stop() {
      await Promise.all(started.map(({ stop }) => stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startNode(binary: string, port: number, options: string[]) {
  const child = spawn(binary, options, { stdio: 'ignore' });
  const gone = once(child, 'exit');
  const client = new Redis({
    ...{ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null },
    enableReadyCheck: false,
  });
  client.on('error', () => undefined);
  await client.ping();
  const node: Node = {
    port,
    kill: (signal) => child.kill(signal),
    ask: (...command) => (client as { call(...all: string[]): Promise<unknown> }).call(...command),
  };
  const stop = async (): Promise<void> => {
    client.disconnect();
    child.kill('SIGKILL');
    await gone;
  };
  return { node, stop };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import getPort from 'get-port';
import { Redis } from 'ioredis';

export interface TestRedis {
  url: string;
  readonly pid: number | undefined;
  /** As `kill -9` does: all its data is gone. */
  kill(): Promise<void>;
  /** Starts it anew on the same port, empty. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** REDIS_URL's server, or one started for the run, or undefined where there is none. */
export async function startTestRedis(): Promise<TestRedis | undefined> {
  const given = process.env.REDIS_URL;
  const untouched = async (): Promise<void> => undefined;
  if (given) return { url: given, pid: undefined, kill: untouched, startAgain: untouched, stop: untouched };
  const binary = await redisBinary();
  return binary === undefined ? undefined : startRedis(binary);
}

/** Starts a server of its own on a free port, without persistence. */
async function startRedis(binary: string): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const start = async (): Promise<ChildProcess> => {
    const place = ['--dir', folder, '--pidfile', join(folder, 'redis.pid')];
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...place];
    const started = spawn(binary, [...options, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' });
    const probe = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    probe.on('error', () => undefined);
    await probe.ping();
    probe.disconnect();
    return started;
  };
  let server = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGCONT');
    server.kill(signal);
    await gone;
  };
  return {
    url,
    get pid() {
      return server.pid;
    },
    kill: () => end('SIGKILL'),
    async startAgain() {
      server = await start();
    },
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Redis that one test may freeze or kill; undefined where the machine has no server. */
export async function startOwnRedis(): Promise<TestRedis | undefined> {
  const binary = await redisBinary();
  return binary === undefined ? undefined : startRedis(binary);
}

/** Where the machine's Redis or Valkey server is, or undefined. */
export async function redisBinary(): Promise<string | undefined> {
  return (await onPath('redis-server')) ?? (await onPath('valkey-server'));
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return getPort({ host: '127.0.0.1' });
}

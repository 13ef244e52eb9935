import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './redisServer.js';
import { waitFor } from './waitFor.js';

export interface PgBouncer {
  /** The URL of the server's database through the pooler. */
  url(databaseUrl: string): string;
  /** Ends it by `kill -9`, with every connection through it, and starts it again a second later. */
  dies(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian keeps it out of the PATH of everybody but root. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
/** For how long a pooler that has died is away. */
const AWAY_MS = 1_000;
/** It refuses to run as root. */
const NOBODY = 65_534;

/** Where PgBouncer is; undefined on a machine that lacks it, whose tests of it are skipped. */
export async function pgBouncerBinary(): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const path = join(folder, 'pgbouncer');
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/**
 * Starts a PgBouncer before the server of a URL, for all of its databases and the URL's user.
 *
 * @param settings of its [pgbouncer] section beside the mode.
 */
export async function startPgBouncer(
  serverUrl: string,
  mode: 'session' | 'transaction' | 'statement',
  settings: Record<string, string | number> = {},
): Promise<PgBouncer> {
  const binary = await pgBouncerBinary();
  if (binary === undefined) throw new Error('there is no pgbouncer on this machine');
  const server = new URL(serverUrl);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-pgbouncer-'));
  await chmod(folder, 0o755);
  const users = join(folder, 'users.txt');
  await writeFile(users, `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  const section = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    // guardian.ts ends it by this file, should the run be killed.
    pidfile: join(folder, 'pgbouncer.pid'),
    auth_type: 'trust',
    auth_file: users,
    pool_mode: mode,
    max_client_conn: 200,
    default_pool_size: 20,
    ...settings,
  };
  const lines = Object.entries(section).map(([name, value]) => `${name} = ${value}`);
  const config = join(folder, 'pgbouncer.ini');
  const databases = `[databases]\n* = host=${server.hostname} port=${server.port}\n`;
  await writeFile(config, `${databases}[pgbouncer]\n${lines.join('\n')}\n`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(folder, NOBODY, NOBODY);
  const start = (): ChildProcess =>
    spawn(binary, [config], { stdio: 'ignore', ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) });
  let child = start();
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const url = (databaseUrl: string): string => {
    const through = new URL(databaseUrl);
    through.host = `127.0.0.1:${port}`;
    return through.href;
  };
  await waitFor('PgBouncer', () => answers(url(serverUrl)));
  return {
    url,
    async dies() {
      await end();
      await sleep(AWAY_MS);
      // A file of the one before would keep it from starting.
      await rm(section.pidfile, { force: true });
      child = start();
      await waitFor('PgBouncer, again', () => answers(url(serverUrl)));
    },
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    // In statement mode too.
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

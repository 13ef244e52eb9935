import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOrMakeUser, runCommand } from '../../src/local/postgres/ownerCommand.js';
import { freePort } from './redisServer.js';

const ROOT = '/usr/lib/postgresql';

/** A Postgres of the distribution, which is older than the embedded one. */
export interface DebianPostgres {
  major: number;
  url: string;
  stop(): Promise<void>;
}

/** The oldest that is installed, its major version; undefined where there is none. */
export async function oldestPostgres(): Promise<number | undefined> {
  const found = await readdir(ROOT).catch(() => []);
  return found
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b)[0];
}

/** Starts it on an empty data folder, with one superuser and no password. */
export async function startDebianPostgres(major: number): Promise<DebianPostgres> {
  const program = (name: string): string => join(ROOT, String(major), 'bin', name);
  const owner = process.getuid?.() === 0 ? await findOrMakeUser('postgres') : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-debian-'));
  await chmod(folder, 0o755);
  if (owner) await chown(folder, owner.uid, owner.gid);
  // Where guardian.ts looks for its process, should the run be killed.
  const data = join(folder, 'postgres');
  const port = await freePort();
  const run = async (name: string, args: string[]): Promise<void> => {
    const { code, output } = await runCommand(program(name), args, { owner });
    if (code !== 0) throw new Error(`${name} of Postgres ${major}: ${output}`);
  };
  await run('initdb', [
    '--pgdata',
    data,
    '--username',
    'gridlens',
    '--auth',
    'trust',
    '--no-sync',
    '--encoding',
    'UTF8',
  ]);
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`;
  await run('pg_ctl', [
    '--pgdata',
    data,
    '--wait',
    '--log',
    join(folder, 'log'),
    '--options',
    settings,
    'start',
  ]);
  return {
    major,
    url: `postgres://gridlens@127.0.0.1:${port}/postgres`,
    async stop() {
      await run('pg_ctl', ['--pgdata', data, '--wait', '--mode', 'immediate', 'stop']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  type PreparedCluster,
  prepareCluster,
  type RunningCluster,
  type Settings,
  startCluster,
} from '../../src/local/postgres/postgresCluster.js';

/** A Postgres that one test may stop and start again, on the same port. */
export interface OwnPostgres {
  url: string;
  /** Where its data lies. */
  dataFolder: string;
  /** Runs one statement as its superuser. */
  run(sql: string): Promise<void>;
  /** Writes a file that Postgres reads into its data folder; answers its path. */
  addFile(name: string, content: string): Promise<string>;
  stop(): Promise<void>;
  startAgain(): Promise<void>;
  /** A streaming standby of it: a copy of its data folder, taken while it is stopped for a moment. */
  startStandby(): Promise<OwnPostgres>;
  remove(): Promise<void>;
}

export async function startOwnPostgres(more: Settings = {}): Promise<OwnPostgres> {
  const folder = await makeFolder();
  return runIn(folder, await prepareCluster({ dataDir: folder, durable: false }), more);
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-own-'));
  await chmod(folder, 0o755);
  return folder;
}

async function runIn(folder: string, prepared: PreparedCluster, more: Settings): Promise<OwnPostgres> {
  const settings = { fsync: 'off', ...more };
  let cluster: RunningCluster = await startCluster(prepared, { port: 0, settings });
  const { port, connectionString } = cluster;
  const { dataFolder } = prepared;
  const stop = () => cluster.stop({ immediateAfter: () => 0 });
  const startAgain = async () => {
    cluster = await startCluster(prepared, { port, settings });
  };
  return {
    url: connectionString,
    dataFolder,
    async run(sql) {
      const client = new pg.Client({ connectionString });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    },
    addFile: (name, content) => addFile(dataFolder, name, content),
    stop,
    startAgain,
    async startStandby() {
      const copy = await makeFolder();
      const standby = { ...prepared, dataDir: copy, dataFolder: join(copy, 'postgres') };
      await cluster.stop();
      await promisify(execFile)('cp', ['--archive', dataFolder, standby.dataFolder]);
      await startAgain();
      await addFile(standby.dataFolder, 'standby.signal', '');
      const { username, password, hostname } = new URL(connectionString);
      await appendFile(
        join(standby.dataFolder, 'postgresql.auto.conf'),
        `primary_conninfo = 'host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}'\n`,
      );
      return runIn(copy, standby, more);
    },
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function addFile(dataFolder: string, name: string, content: string): Promise<string> {
  const path = join(dataFolder, name);
  await writeFile(path, content, { mode: 0o600 });
  const { uid, gid } = await stat(dataFolder);
  await chown(path, uid, gid);
  return path;
}

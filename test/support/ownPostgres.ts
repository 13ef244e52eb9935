import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  prepareCluster,
  type RunningCluster,
  startCluster,
} from '../../src/local/postgres/postgresCluster.js';

/** A Postgres that one test may stop and start again, on the same port. */
export interface OwnPostgres {
  url: string;
  stop(): Promise<void>;
  startAgain(): Promise<void>;
  remove(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-own-'));
  await chmod(folder, 0o755);
  const prepared = await prepareCluster({ dataDir: folder, durable: false });
  const settings = { fsync: 'off' };
  let cluster: RunningCluster = await startCluster(prepared, { port: 0, settings });
  const { port, connectionString } = cluster;
  const stop = () => cluster.stop({ immediateAfter: () => 0 });
  return {
    url: connectionString,
    stop,
    async startAgain() {
      cluster = await startCluster(prepared, { port, settings });
    },
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

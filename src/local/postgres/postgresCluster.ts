import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PreparedCluster, type PrepareOptions, prepareCluster } from './clusterFiles.js';
import type { Settings } from './clusterLaunch.js';
import { type RunningCluster, type StartOptions, startCluster } from './clusterServer.js';
import type { StopOptions } from './clusterStop.js';

export type { PreparedCluster, PrepareOptions, RunningCluster, Settings, StartOptions, StopOptions };
/**
 * A real Postgres out of npm's binaries, driven by `initdb` and `pg_ctl`.
 *
 * Not by the `EmbeddedPostgres` class: it stops Postgres from an exit hook of its own, on Ctrl-C before the API and
 * worker have finished with it; and it hands Postgres our whole environment, API key included.
 */
export { prepareCluster, startCluster };

export interface TemporaryCluster extends RunningCluster {
  /** Stops Postgres and removes every trace of it. */
  remove(): Promise<void>;
}

/** For tests: a cluster of its own under the system's temporary folder, on any free port, that may lose data. */
export async function temporaryCluster(settings: Settings = {}): Promise<TemporaryCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-postgres-'));
  await chmod(folder, 0o755); // mkdtemp closes it even to the user that Postgres runs as.
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const prepared = await prepareCluster({ dataDir: folder, durable: false });
    const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', ...settings };
    const cluster = await startCluster(prepared, { port: 0, settings: fast });
    const remove = async () => {
      await cluster.stop({ immediateAfter: () => 0 });
      await removeFolder();
    };
    return { ...cluster, remove };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

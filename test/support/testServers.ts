import { rm } from 'node:fs/promises';
import pg from 'pg';
import { temporaryCluster } from '../../src/local/postgres/postgresCluster.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { COMPILED_FOLDER, compileSources, makeCompiledFolder } from './compiledSources.js';
import { guardServers } from './guardian.js';
import { startTestRedis } from './redisServer.js';
import { makeRunFolder } from './runFolder.js';

/** The database that each test file's own is cloned from; testDatabase.ts has the same name. */
const TEMPLATE = 'gridlens_template';

export interface TestServers {
  clusterUrl: string;
  redisUrl: string | undefined;
  stop(): Promise<void>;
}

/** Starts what a run needs, and before that a guardian that ends it should the run itself be killed. */
export async function startServers(): Promise<TestServers> {
  const runFolder = await makeRunFolder();
  const compiled = await makeCompiledFolder();
  const guardian = guardServers(runFolder, [compiled]);
  // Every temporary folder of the run, of this process and of its forks, is made in there.
  process.env.TMPDIR = runFolder;
  process.env[COMPILED_FOLDER] = compiled;
  // Each test file has its own pools, and several files run at once, some with ten processes.
  const [cluster, redis] = await Promise.all([
    temporaryCluster({ max_connections: '600', shared_buffers: '256MB' }),
    startTestRedis(),
    compileSources(compiled),
  ]);
  await prepareTemplate(cluster.connectionString);
  return {
    clusterUrl: cluster.connectionString,
    redisUrl: redis?.url,
    async stop() {
      await Promise.all([redis?.stop(), cluster.remove()]);
      await Promise.all([runFolder, compiled].map((folder) => rm(folder, { recursive: true, force: true })));
      guardian.release();
    },
  };
}

async function prepareTemplate(clusterUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const templateUrl = new URL(clusterUrl);
  templateUrl.pathname = `/${TEMPLATE}`;
  await prepareStorage(templateUrl.href, true, createLogger('test', 'silent'));
}

import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { temporaryCluster } from '../../src/local/postgres/postgresCluster.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { startTestRedis } from './redisServer.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the cluster's maintenance database. */
    clusterUrl: string;
    /** Undefined where no Redis or Valkey server can be found; then that half is skipped. */
    redisUrl: string | undefined;
  }
}

const SKIPPED =
  'SKIPPED: the Redis half of the tests. No REDIS_URL is set and no redis-server or valkey-server is on the PATH; the Postgres queue backend is tested alone.';

export const TEMPLATE = 'gridlens_template';

/**
 * One real Postgres for the run, with a migrated template that each test file clones, and one real Redis where
 * the machine has a server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await temporaryCluster();
  const client = new pg.Client({ connectionString: cluster.connectionString });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const templateUrl = new URL(cluster.connectionString);
  templateUrl.pathname = `/${TEMPLATE}`;
  await prepareStorage(templateUrl.href, true, createLogger('test', 'silent'));

  const redis = await startTestRedis();
  const sayWhatIsSkipped = (): void => {
    if (!redis) process.stdout.write(`\n${SKIPPED}\n\n`);
  };
  sayWhatIsSkipped();
  project.provide('clusterUrl', cluster.connectionString);
  project.provide('redisUrl', redis?.url);
  return async () => {
    await redis?.stop();
    await cluster.remove();
    // Again, where a reader of the result looks.
    sayWhatIsSkipped();
  };
}

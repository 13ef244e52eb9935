import type { TestProject } from 'vitest/node';
import type { SchemaMapping } from '../../src/schema/mapping.js';
import { startServers, type TestServers } from './testServers.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the cluster's maintenance database. */
    clusterUrl: string;
    /** Undefined where no Redis or Valkey server can be found; then that half is skipped. */
    redisUrl: string | undefined;
    /** What a start finds in a database that is a clone of the template. */
    templateSchema: SchemaMapping;
  }
}

const SKIPPED =
  'SKIPPED: the Redis half of the tests. No REDIS_URL is set and no redis-server or valkey-server is on the PATH; the Postgres queue backend is tested alone.';

/** Projects have their setups loaded one by one; what they share hangs here. */
const shared = globalThis as { gridlensTestServers?: { servers: Promise<TestServers>; users: number } };

/**
 * One real Postgres for the run, with a prepared template that each test file clones, and one real Redis where the
 * machine has a server: started by the first project that has a file to run, stopped after the last.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.gridlensTestServers ??= { servers: startServers(), users: 0 };
  const use = shared.gridlensTestServers;
  use.users += 1;
  const servers = await use.servers;
  const sayWhatIsSkipped = (): void => {
    if (servers.redisUrl === undefined && project.name === 'redis') process.stdout.write(`\n${SKIPPED}\n\n`);
  };
  sayWhatIsSkipped();
  project.provide('clusterUrl', servers.clusterUrl);
  project.provide('redisUrl', servers.redisUrl);
  project.provide('templateSchema', servers.templateSchema);
  return async () => {
    use.users -= 1;
    if (use.users === 0) {
      delete shared.gridlensTestServers;
      await servers.stop();
    }
    // Again, where a reader of the result looks.
    sayWhatIsSkipped();
  };
}

import { rm } from 'node:fs/promises';
import pg from 'pg';
import { temporaryCluster } from '../../src/local/postgres/postgresCluster.js';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import type { SchemaMapping } from '../../src/schema/mapping.js';
import { COMPILED_FOLDER, compileSources, makeCompiledFolder } from './compiledSources.js';
import { guardServers } from './guardian.js';
import { startTestRedis } from './redisServer.js';
import { makeRunFolder } from './runFolder.js';
import { JUNE, TEMPLATES } from './templates.js';

export interface TestServers {
  clusterUrl: string;
  redisUrl: string | undefined;
  /** What is found in a clone of the template. */
  templateSchema: SchemaMapping;
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
    temporaryCluster({
      max_connections: '600',
      shared_buffers: '256MB',
      // Each new connection of a test works the password out: 4,096 rounds of it show nothing.
      scram_iterations: '1',
      // Each new connection would load it for itself.
      shared_preload_libraries: 'plpgsql',
    }),
    startTestRedis(),
    compileSources(compiled),
  ]);
  const templateSchema = await prepareTemplates(cluster.connectionString);
  return {
    templateSchema,
    clusterUrl: cluster.connectionString,
    redisUrl: redis?.url,
    async stop() {
      await Promise.all([redis?.stop(), cluster.remove()]);
      await Promise.all([runFolder, compiled].map((folder) => rm(folder, { recursive: true, force: true })));
      guardian.release();
    },
  };
}

/** Makes the templates; answers what a start finds in a clone of one. */
async function prepareTemplates(clusterUrl: string): Promise<SchemaMapping> {
  const urlOf = (name: string): string => Object.assign(new URL(clusterUrl), { pathname: `/${name}` }).href;
  const [migrated, june] = [urlOf(TEMPLATES.migrated), urlOf(TEMPLATES.june)];
  // Its password anew, with the one iteration of SCRAM that the cluster is set to.
  const { username, password } = new URL(clusterUrl);
  await run(
    clusterUrl,
    `ALTER ROLE ${username} PASSWORD '${decodeURIComponent(password)}'`,
    `CREATE DATABASE ${TEMPLATES.migrated}`,
  );
  const schema = await prepareStorage(migrated, true, createLogger('test', 'silent'));
  await vacuumCatalogs(migrated);
  await run(
    clusterUrl,
    `CREATE DATABASE ${TEMPLATES.june} TEMPLATE ${TEMPLATES.migrated} STRATEGY FILE_COPY`,
  );
  await run(
    june,
    'SELECT ami_drop_read_partitions_before(current_date + 30)',
    `SELECT ami_ensure_read_partition(day::date)
     FROM generate_series('${JUNE}'::date - 1, '${JUNE}'::date + 7, '1 day') AS day`,
  );
  await vacuumCatalogs(june);
  // The first connection after it writes a file of what each new one begins with, which clones have then, too.
  for (const url of [migrated, june]) await run(url);
  return schema;
}

/** Leaves the catalogs frozen and counted: else each clone finds out for itself, again and again, what is visible. */
async function vacuumCatalogs(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ tables: string }>(
      `SELECT string_agg(oid::regclass::text, ', ') AS tables FROM pg_class
       WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'`,
    );
    await client.query(`VACUUM (FREEZE, ANALYZE) ${rows[0]?.tables}`);
  } finally {
    await client.end();
  }
}

async function run(connectionString: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

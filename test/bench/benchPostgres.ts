import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { prepareCluster, startCluster } from '../../src/local/postgres/postgresCluster.js';

export interface BenchPostgres {
  url: string;
  stop(): Promise<void>;
}

/**
 * A Postgres to measure on: a database of its own on DATABASE_URL's server where that is set, else an embedded
 * one as `npm start` runs it, fsync and all.
 */
export async function benchPostgres(): Promise<BenchPostgres> {
  if (process.env.DATABASE_URL) return onServer(process.env.DATABASE_URL);
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-bench-'));
  await chmod(folder, 0o755);
  const cluster = await startCluster(await prepareCluster({ dataDir: folder }), { port: 0 });
  return {
    url: cluster.connectionString,
    async stop() {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function onServer(connectionString: string): Promise<BenchPostgres> {
  const { url, drop } = await databaseBeside({ url: connectionString }, 'bench');
  return { url, stop: drop };
}

/** Another database of its own on the same server. */
export async function databaseBeside(
  { url }: Pick<BenchPostgres, 'url'>,
  purpose: string,
): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `gridlens_${purpose}_${randomUUID().slice(0, 8)}`;
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await run(`CREATE DATABASE ${name}`);
  const made = new URL(url);
  made.pathname = `/${name}`;
  return { url: made.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}

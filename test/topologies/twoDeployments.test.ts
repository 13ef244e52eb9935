import pg from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { BEARER } from '../support/deployment.js';
import { expectEveryUse } from '../support/everyUse.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const METERS = 500;

/** An API and a worker, as a customer would run them: nothing tells them that there are others. */
interface Pair {
  env: Record<string, string>;
  api: ProductProcess & { url: string };
  worker: ProductProcess;
}

const publish = async ({ api }: Pair, meterCount = METERS): Promise<string> => {
  const response = await fetch(`${api.url}/api/ami/publish-once`, {
    method: 'POST',
    headers: { ...BEARER, 'Content-Type': 'application/json' },
    body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount, batchSize: 10 }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { publishId: string }).publishId;
};

const written = (pair: Pair, publishId: string) =>
  waitFor('its reads', async () => {
    const response = await fetch(`${pair.api.url}/api/ami/publish/${publishId}`);
    const progress = (await response.json()) as { state?: string; rows?: { inserted: number } };
    return progress.state === 'done' ? progress : undefined;
  });

const batchesOf = ({ worker }: Pair) => worker.logLines().filter(({ msg }) => msg === 'batch written');

describe('two deployments', () => {
  const processes: ProductProcess[] = [];
  const databases: TestDatabase[] = [];
  const start = async (env: Record<string, string>): Promise<Pair> => {
    const api = await startApiProcess(env);
    processes.push(api);
    const worker = await startWorkerProcess(env);
    processes.push(worker);
    return { env, api, worker };
  };
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
    for (const database of databases.splice(0)) await database.drop();
  });

  const doTheirOwnWork = async (pairs: [Pair, Pair]): Promise<void> => {
    const publishIds = await Promise.all(pairs.map((pair) => publish(pair)));
    for (const [place, pair] of pairs.entries()) {
      const progress = await written(pair, publishIds[place] as string);
      expect(progress).toMatchObject({ rows: { inserted: METERS } });
      const batches = batchesOf(pair);
      expect(new Set(batches.map(({ publishId }) => publishId))).toEqual(new Set([publishIds[place]]));
      expect(batches.filter(({ alreadyFinished }) => alreadyFinished)).toEqual([]);
    }
    await Promise.all(
      pairs.map(({ env, api, worker }) =>
        expectEveryUse({
          url: api.url,
          databaseUrl: env.DATABASE_URL as string,
          workers: [worker],
          startWorker: async () => {
            const started = await startWorkerProcess(env);
            processes.push(started);
            return started;
          },
        }),
      ),
    );
  };

  it.skipIf(inject('redisUrl') === undefined)(
    'Q2: with a database each do their own work alone on one Redis',
    async () => {
      const REDIS_URL = inject('redisUrl') as string;
      databases.push(await createTestDatabase(), await createTestDatabase());
      const [first, second] = databases.map(({ url }) => url) as [string, string];
      await doTheirOwnWork([
        await start({ DATABASE_URL: first, REDIS_URL }),
        await start({ DATABASE_URL: second, REDIS_URL }),
      ]);
    },
  );

  it.each(['postgres', 'redis'] as const)(
    'Q2: in two schemas of one database do their own work alone, the queue in %s',
    async (backend) => {
      const queue: Record<string, string> =
        backend === 'redis' ? { REDIS_URL: inject('redisUrl') as string } : {};
      const database = await createTestDatabase('empty');
      databases.push(database);
      const inSchema = async (schema: string): Promise<Record<string, string>> => {
        await database.pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
        const url = new URL(database.url);
        url.searchParams.set('options', `-c search_path=${schema}`);
        return { DATABASE_URL: url.href, ...queue };
      };
      await doTheirOwnWork([
        await start(await inSchema('utility_a')),
        await start(await inSchema('utility_b')),
      ]);
      const { rows } = await database.pool.query<{ name: string }>(
        `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'bullmq%' ORDER BY 1`,
      );
      expect(rows.map(({ name }) => name)).toEqual(
        backend === 'redis' ? [] : ['bullmq_utility_a', 'bullmq_utility_b'],
      );
    },
  );
});

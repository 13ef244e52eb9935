import { setTimeout as sleep } from 'node:timers/promises';
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

const databaseOf = (url: string): string => new URL(url).pathname.slice(1);

/** What each of so many callers waits for: it begins when all are there, so that none is in the middle of another step. */
function oncePerAll(callers: number, work: () => Promise<unknown>): () => Promise<void> {
  let missing = callers;
  let begin = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    begin = resolve;
  }).then(work);
  return async () => {
    missing -= 1;
    if (missing === 0) begin();
    await done;
  };
}

/** Ends all sessions of a database, and lets nobody into it for a second: what others do in the server goes on. */
async function closeForASecond(name: string): Promise<void> {
  const quoted = pg.escapeIdentifier(name);
  const admin = new pg.Client({ connectionString: inject('clusterUrl') });
  await admin.connect();
  try {
    await admin.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    await sleep(1_000);
  } finally {
    await admin.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS true`);
    await admin.end();
  }
}

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
    const serverDies = oncePerAll(pairs.length, () =>
      Promise.all(
        [...new Set(pairs.map(({ env }) => databaseOf(env.DATABASE_URL as string)))].map(closeForASecond),
      ),
    );
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
          serverDies,
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

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareStorage } from '../../src/process/context.js';
import { createLogger } from '../../src/process/log.js';
import { openQueues } from '../../src/queues/openQueues.js';
import { openPool } from '../support/openPool.js';
import { startOwnPostgres } from '../support/ownPostgres.js';
import { postgresCpu } from '../support/postgresCpu.js';

/**
 * Share of a core that Postgres takes for the queue alone, at each rate: the jobs do nothing. One process adds and works.
 *
 * @param rates jobs per second.
 */
export async function measureQueueCost(
  rates: readonly number[],
  seconds: number,
): Promise<{ rate: number; core: number }[]> {
  const postgres = await startOwnPostgres();
  await prepareStorage(postgres.url, true, createLogger('bench', 'silent'));
  const onError = () => undefined;
  const opened = await openQueues({ redisUrl: undefined, databaseUrl: postgres.url, prefix: '', onError });
  const { queue, ticks, connections } = opened;
  const options = { concurrency: 8, onCompleted: onError, onFailed: onError, onError };
  const worker = queue.work(async () => undefined, { lane: 'live', ...options });
  const pool = openPool({ connectionString: postgres.url, max: 1 });
  try {
    const shares: { rate: number; core: number }[] = [];
    for (const rate of rates) {
      const startedAt = performance.now();
      const before = await postgresCpu(pool);
      for (let added = 0; added < rate * seconds; added += 1) {
        await sleep(Math.max(0, startedAt + (added / rate) * 1000 - performance.now()));
        // Nothing waits for the answer, so that a slow queue does not lower the rate.
        queue.add([job()]).catch(onError);
      }
      await sleep(1_000);
      const took = (performance.now() - startedAt) / 1000;
      shares.push({ rate, core: ((await postgresCpu(pool)) - before) / took });
    }
    return shares;
  } finally {
    await worker.close();
    await ticks.close();
    await queue.close();
    await connections.close();
    await pool.end();
    await postgres.remove();
  }
}

function job() {
  return { payload: { publishId: randomUUID(), batch: 0 } as never, lane: 'live' as const, delayMs: 0 };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import {
  CLUSTER_OPTIONS,
  loginOptions,
  type QueueClient,
  serverOptions,
  tlsOptions,
} from './redisClients.js';
import type { RedisTarget } from './redisUrl.js';

/** A Redis that is slow for a while is waited for, ms; one that is silent for longer is away. */
const ANSWER_MS = 10_000;
const CONNECT_MS = 5_000;
/** A Redis that reads its data from disk is asked again every so often, ms, and so many times: ten minutes. */
const LOADING_MS = 1_000;
const LOADING_LOOKS = 600;

/**
 * A connection for the time of some questions.
 *
 * @throws the connection's own first error, which says more than the failure of the question that follows it.
 */
export async function withProbe<T>(
  target: RedisTarget,
  ask: (client: QueueClient) => Promise<T>,
): Promise<T> {
  const client = probe(target);
  let first: Error | undefined;
  client.on('error', (error: Error & { lastNodeError?: Error }) => {
    first ??= error.lastNodeError ?? error;
  });
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw described(first ?? (error as Error));
  } finally {
    client.disconnect();
  }
}

/** INFO of the first host that answers, or of the primary that the Sentinels name, and which that was. */
export async function firstInfo(target: RedisTarget): Promise<{ info: string; entry: RedisTarget }> {
  const entries =
    target.kind === 'sentinel' ? [target] : target.hosts.map((host) => ({ ...target, hosts: [host] }));
  let failure: unknown;
  for (const entry of entries) {
    try {
      const kind = entry.kind === 'cluster' ? 'server' : entry.kind;
      return { info: await withProbe({ ...entry, kind }, infoOnceLoaded), entry };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function infoOnceLoaded(client: QueueClient): Promise<string> {
  for (let looks = 1; ; looks += 1) {
    const info = await client.info();
    if (!/^loading:1/m.test(info) || looks === LOADING_LOOKS) return info;
    await sleep(LOADING_MS);
  }
}

function probe(target: RedisTarget): QueueClient {
  const patience = {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
  };
  if (target.kind !== 'cluster') {
    return new Redis({
      ...serverOptions(target),
      ...patience,
      // Who asks selects the database by itself, and hears what the server says to that.
      db: 0,
      // INFO is asked for too: the client's own look writes on the console where it is not allowed.
      enableReadyCheck: false,
      failoverDetector: false,
      sentinelCommandTimeout: ANSWER_MS,
      sentinelRetryStrategy: () => null,
      retryStrategy: () => null,
    });
  }
  return new Cluster([...target.hosts], {
    ...CLUSTER_OPTIONS,
    redisOptions: { ...loginOptions(target), ...tlsOptions(target), ...patience, lazyConnect: false },
    lazyConnect: true,
    slotsRefreshTimeout: ANSWER_MS,
    clusterRetryStrategy: () => null,
  });
}

/** An error of several addresses at once has no message of its own. */
function described(error: Error): Error {
  if (error.message !== '') return error;
  const code = String((error as NodeJS.ErrnoException).code ?? error.name);
  return Object.assign(new Error(code, { cause: error }), { code });
}

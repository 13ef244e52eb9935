import { StartupError } from '../contracts/errors.js';
import { queueIdentity } from '../db/deploymentIdentity.js';
import type { Pooling } from '../db/pooling.js';
import { requirePostgres } from '../db/requirePostgres.js';
import type { Config } from './config.js';

/** Where a process finds Postgres, and what stands before it there. */
export interface PostgresPlaces {
  databaseUrl: string;
  pooling: Pooling;
  /** Where the queue in Postgres is, and in which schema; undefined with the queue in Redis. */
  queue: { url: string; pooling: Pooling; schema: string } | undefined;
  /** Of the keys in Redis, where the queue is there. */
  redisPrefix: string;
}

/**
 * Looks at each Postgres that the configuration names.
 *
 * @throws StartupError one sentence, when one of them cannot be used for what it is named for.
 */
export async function requirePostgresPlaces(
  config: Pick<Config, 'databaseUrl' | 'redisUrl' | 'queueDatabaseUrl' | 'deploymentName'>,
): Promise<PostgresPlaces> {
  const { databaseUrl, redisUrl, queueDatabaseUrl, deploymentName } = config;
  if (databaseUrl === undefined) throw new StartupError('DATABASE_URL is not set.');
  const own = await requirePostgres(databaseUrl);
  const places = { databaseUrl: own.url, pooling: own.pooling };
  if (redisUrl !== undefined) {
    const { redisPrefix } = queueIdentity(own.place, own.place, deploymentName);
    return { ...places, queue: undefined, redisPrefix };
  }
  const queue =
    queueDatabaseUrl === undefined ? own : await requirePostgres(queueDatabaseUrl, 'QUEUE_DATABASE_URL');
  if (queue.pooling.mode === 'transaction') {
    const name = queueDatabaseUrl === undefined ? 'DATABASE_URL' : 'QUEUE_DATABASE_URL';
    throw new StartupError(
      `${name} leads to a pooler in transaction mode, in which the queue would miss its LISTEN: set QUEUE_DATABASE_URL to Postgres itself or to a pool in session mode, or set REDIS_URL, and the queue is in Redis.`,
    );
  }
  const { schema, redisPrefix } = queueIdentity(own.place, queue.place, deploymentName);
  return { ...places, queue: { url: queue.url, pooling: queue.pooling, schema }, redisPrefix };
}

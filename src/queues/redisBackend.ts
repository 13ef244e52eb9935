import { Redis } from 'ioredis';
import { answerBudget } from '../contracts/answerBudget.js';
import { StartupError } from '../contracts/errors.js';

/** BullMQ's scripts need Redis 6.2; Valkey reports a compatible version in the same field. */
const MINIMUM_REDIS = [6, 2] as const;
const RECONNECT_CAP_MS = 1_000;

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, RECONNECT_CAP_MS);

/**
 * A connection for calls that must fail fast. Without an offline queue a command to a lost Redis fails in a millisecond;
 * with the default the command hangs until Redis is back.
 */
export function createProducerRedis(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: answerBudget().dependency,
    commandTimeout: answerBudget().dependency,
    retryStrategy,
  });
  redis.on('error', onError);
  return redis;
}

/** A connection for a BullMQ worker, which blocks for jobs and so must wait for Redis however long. */
export function createWorkerRedis(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy });
  redis.on('error', onError);
  return redis;
}

/**
 * Connects once and looks at the server, so that start-up fails in one sentence rather than in a loop.
 *
 * @throws StartupError when it cannot be reached or is too old.
 */
export async function requireRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: answerBudget().dependency,
    commandTimeout: answerBudget().dependency,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error) => {
    reason = error.message || String((error as { code?: string }).code);
  });
  try {
    await redis.connect();
    const info = await redis.info('server');
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? '0';
    if (isOlder(version, MINIMUM_REDIS)) {
      throw new StartupError(
        `The Redis at ${new URL(url).host} is version ${version}: BullMQ needs ${MINIMUM_REDIS.join('.')} or newer (REDIS_URL).`,
      );
    }
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const why = reason || (error as Error).message;
    throw new StartupError(
      `The Redis at ${new URL(url).host} cannot be used (${why}): start it, or correct REDIS_URL, or unset it to queue in Postgres.`,
    );
  } finally {
    redis.disconnect();
  }
}

function isOlder(version: string, minimum: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < minimum[0] || (major === minimum[0] && minor < minimum[1]);
}

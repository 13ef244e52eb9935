import { differenceFromClock } from '../../db/databaseClock.js';
import type { QueueClient, RedisServer } from './redisClients.js';
import { withProbe } from './redisProbe.js';

/** What a Redis that can be used says of its clock and its disk. */
export interface RedisFacts {
  /** How far this machine's clock is ahead of the server's, ms, as `clockDifferenceMs` has it. */
  clockDifferenceMs: number;
  /** Whether each write goes to a log, snapshots are made, or neither; undefined where the server does not say. */
  persistence: 'log' | 'snapshots' | 'none' | undefined;
  /** Whether its last write to disk failed. */
  isFailingToSave: boolean;
}

/**
 * Asks a server that `requireRedis` has found usable; writes nothing.
 *
 * @throws what the connection says.
 */
export function redisFacts({ target }: RedisServer): Promise<RedisFacts> {
  return withProbe(target, async (client) => {
    const clockDifferenceMs = await differenceFromClock(async () => {
      const [seconds, microseconds] = await client.time();
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    });
    return { clockDifferenceMs, ...(await savingOf(client)) };
  });
}

async function savingOf(client: QueueClient): Promise<Omit<RedisFacts, 'clockDifferenceMs'>> {
  const info = await client.info('persistence');
  const isFailingToSave = /^(rdb_last_bgsave_status|aof_last_write_status):err/m.test(info);
  if (/^aof_enabled:1/m.test(info)) return { persistence: 'log', isFailingToSave };
  return { persistence: await snapshotsOf(client), isFailingToSave };
}

/** Managed servers refuse CONFIG: of their snapshots nothing is known. */
async function snapshotsOf(client: QueueClient): Promise<RedisFacts['persistence']> {
  const answer = await client.call('CONFIG', 'GET', 'save').catch(() => undefined);
  if (!Array.isArray(answer) || answer.length < 2) return undefined;
  return answer[1] === '' ? 'none' : 'snapshots';
}

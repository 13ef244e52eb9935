import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../contracts/errors.js';
import { lackingCommands } from './neededCommands.js';
import type { QueueClient, RedisServer } from './redisClients.js';
import { connectionAdvice, isRefusal } from './redisErrors.js';
import { firstInfo, withProbe } from './redisProbe.js';
import { parseRedisUrl, type RedisTarget, RedisUrlError, shownHosts } from './redisUrl.js';
import { parseInfo, unfitness } from './serverFit.js';

/** A connection that was made and then lost is made again: something is there. */
const TRIES = 3;
const BETWEEN_TRIES_MS = 500;
/** So many commands that the user may not run are named. */
const MOST_NAMED = 5;

/**
 * Connects once and looks at the server, so that start-up fails in one sentence rather than in a loop, and finds out
 * what kind of deployment it is.
 *
 * @param prefix under which the queue's keys will be.
 * @throws StartupError when it cannot be reached, is too old, or is one that the queue cannot work on.
 */
export async function requireRedis(url: string, prefix: string): Promise<RedisServer> {
  const target = targetOf(url);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look(target, prefix);
    } catch (error) {
      if (error instanceof StartupError) throw error;
      const { message } = error as Error;
      const isCut = /closed|ECONNRESET|timed out/i.test(message);
      if (isCut && attempt < TRIES) {
        await sleep(BETWEEN_TRIES_MS);
        continue;
      }
      throw new StartupError(
        `${named(target)} cannot be used (${message}): ${connectionAdvice(error as Error, target)}.`,
      );
    }
  }
}

function targetOf(url: string): RedisTarget {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    if (error instanceof RedisUrlError) throw new StartupError(`REDIS_URL ${error.message}.`);
    throw error;
  }
}

async function look(written: RedisTarget, prefix: string): Promise<RedisServer> {
  const { info, entry } = await firstInfo(written);
  const server = parseInfo(info);
  const target: RedisTarget = server.mode === 'cluster' ? { ...written, kind: 'cluster' } : written;
  const problem =
    unfitness(server, written) ??
    (await withProbe(
      target,
      async (client) =>
        (await databaseProblem(client, target)) ?? (await rightsProblem(client, target, prefix)),
    ));
  if (problem !== undefined) throw new StartupError(`${named(entry)} ${problem}.`);
  const { versionInfo, evictionPolicy } = server;
  return { target, versionInfo, evictionPolicy };
}

/** Why the database that is named cannot be used; a server that lacks it would go on with database 0. */
async function databaseProblem(client: QueueClient, { db }: RedisTarget): Promise<string | undefined> {
  if (db === 0) return undefined;
  try {
    await client.select(db);
    return undefined;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.message.startsWith('NOPERM')
      ? `does not let the user of REDIS_URL select database ${db} (SELECT)`
      : `has no database ${db}: correct the number in REDIS_URL`;
  }
}

async function rightsProblem(
  client: QueueClient,
  { username = 'default' }: RedisTarget,
  prefix: string,
): Promise<string | undefined> {
  const lacking = await lackingCommands(client, prefix);
  if (lacking.length === 0) return undefined;
  const commands =
    lacking.slice(0, MOST_NAMED).join(', ') + (lacking.length > MOST_NAMED ? ' and others' : '');
  return `does not let the user of REDIS_URL run ${commands} on keys that begin with ${prefix}: ACL SETUSER ${username} ~${prefix}* +@all -@admin -@dangerous +info`;
}

function named(target: RedisTarget): string {
  return `The Redis at ${shownHosts(target)}`;
}

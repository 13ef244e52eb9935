import { randomUUID } from 'node:crypto';
import type { QueueClient } from './redisClients.js';

/**
 * The commands of BullMQ 6.7's Redis scripts and of its client, each in a form that does no harm on keys of its own.
 * They are run rather than asked of ACL DRYRUN, which only an administrator may ask, and which Redis 6.2 lacks.
 */
function trials(key: string): string[][] {
  const [text, number, list, hash, set, sorted, stream] = ['s', 'n', 'l', 'h', 't', 'z', 'x'].map(
    (type) => `${key}:${type}`,
  ) as [string, string, string, string, string, string, string];
  const script = 'return 1';
  return [
    ['SET', text, '1'],
    ['GET', text],
    ['EXISTS', text],
    ['TYPE', text],
    ['INCR', number],
    ['INCRBY', number, '1'],
    ['PEXPIRE', text, '60000'],
    ['PEXPIREAT', text, String(Date.now() + 60_000)],
    ['PTTL', text],
    ['PERSIST', text],
    ['LPUSH', list, 'a'],
    ['RPUSH', list, 'b'],
    ['LLEN', list],
    ['LRANGE', list, '0', '-1'],
    ['LINDEX', list, '0'],
    ['LPOS', list, 'a'],
    ['LREM', list, '1', 'z'],
    ['LSET', list, '0', 'a'],
    ['LTRIM', list, '0', '9'],
    ['RPOPLPUSH', list, list],
    ['LPOP', list],
    ['RPOP', list],
    ['HSET', hash, 'f', '1'],
    ['HMSET', hash, 'f', '1'],
    ['HGET', hash, 'f'],
    ['HMGET', hash, 'f'],
    ['HGETALL', hash],
    ['HEXISTS', hash, 'f'],
    ['HINCRBY', hash, 'f', '1'],
    ['HLEN', hash],
    ['HDEL', hash, 'f'],
    ['SADD', set, 'a'],
    ['SCARD', set],
    ['SMEMBERS', set],
    ['SISMEMBER', set, 'a'],
    ['SREM', set, 'a'],
    ['ZADD', sorted, '1', 'a'],
    ['ZSCORE', sorted, 'a'],
    ['ZCARD', sorted],
    ['ZCOUNT', sorted, '0', '1'],
    ['ZRANGE', sorted, '0', '-1'],
    ['ZREVRANGE', sorted, '0', '-1'],
    ['ZRANGEBYSCORE', sorted, '0', '1'],
    ['ZREVRANGEBYSCORE', sorted, '1', '0'],
    ['ZRANGEBYLEX', sorted, '-', '+'],
    ['ZLEXCOUNT', sorted, '-', '+'],
    ['ZREMRANGEBYSCORE', sorted, '8', '9'],
    ['ZREMRANGEBYRANK', sorted, '8', '9'],
    ['ZREM', sorted, 'z'],
    ['BZPOPMIN', sorted, '0.01'],
    ['ZPOPMIN', sorted],
    ['XADD', stream, '*', 'f', '1'],
    ['XLEN', stream],
    ['XRANGE', stream, '-', '+'],
    ['XTRIM', stream, 'MAXLEN', '1'],
    ['XDEL', stream, '0-1'],
    ['EVAL', script, '1', text],
    ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '1', text],
    ['TIME'],
    ['UNLINK', text, number, list],
    ['DEL', hash, set, sorted, stream],
  ];
}

/** Error replies that no waiting ends. */
const LACKING = /^NOPERM|^ERR unknown command/;

/** Commands that the queue needs and this login may not run, or not on the queue's keys; empty when all is well. */
export async function lackingCommands(client: QueueClient, prefix: string): Promise<string[]> {
  const asked = trials(`${prefix}:start-${randomUUID()}`);
  const answers = await Promise.allSettled(
    asked.map(([command = '', ...args]) =>
      (client as { call(...all: string[]): Promise<unknown> }).call(command, ...args),
    ),
  );
  return answers.flatMap((answer, index) => {
    if (answer.status === 'fulfilled') return [];
    const { message } = answer.reason as Error;
    return LACKING.test(message) ? (asked[index]?.[0] ?? []) : [];
  });
}

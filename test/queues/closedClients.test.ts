import { describe, expect, it } from 'vitest';
import { createWorkerRedis } from '../../src/queues/redis/redisClients.js';
import { parseRedisUrl } from '../../src/queues/redis/redisUrl.js';

/** Nobody listens on these ports. */
const AWAY = {
  'a Redis': parseRedisUrl('redis://127.0.0.1:1'),
  'a Redis Cluster': { ...parseRedisUrl('redis://127.0.0.1:1,127.0.0.1:2'), kind: 'cluster' as const },
};

describe.each(Object.entries(AWAY))('the client of %s that is away', (_name, target) => {
  const server = { target, versionInfo: '', evictionPolicy: undefined };

  it.each(['reconnecting', 'connecting'])('ends when it is disconnected while it is %s', async (state) => {
    const { client } = createWorkerRedis(server, () => undefined);
    const asked = client.get('key').catch((error: Error) => error);
    const told = (event: string) => new Promise((resolve) => client.once(event, resolve));
    await told(state);
    const ended = told('end');
    client.disconnect();
    client.disconnect();
    await ended;
    expect(client.status).toBe('end');
    expect(await asked).toBeInstanceOf(Error);
  });
});

import { Redis } from 'ioredis';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { openAmiQueue } from '../../src/queues/amiQueue.js';
import { openConnections } from '../../src/queues/queueConnections.js';
import { startOwnRedis } from '../support/redisServer.js';

/** Bytes of Redis that one queued job takes, or undefined where there is no Redis server. */
export async function measureQueuedJobBytes(jobs: number): Promise<number | undefined> {
  const server = await startOwnRedis();
  if (!server) return undefined;
  const redis = new Redis(server.url);
  const onError = () => undefined;
  const connections = await openConnections({
    redisUrl: server.url,
    databaseUrl: '',
    prefix: '{gridlens:0}',
    onError,
  });
  const queue = openAmiQueue(connections, onError);
  const usedMemory = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? Number.NaN);
  try {
    // The queue's own keys and the connections are there before the first measurement.
    const add = (from: number, to: number) =>
      queue.add(
        Array.from({ length: to - from }, (_, index) => ({
          payload: payload(from + index),
          delayMs: 60_000 + index,
          lane: 'live' as const,
        })),
      );
    await add(0, 100);
    const before = await usedMemory();
    for (let from = 100; from < 100 + jobs; from += 100) await add(from, from + 100);
    return ((await usedMemory()) - before) / jobs;
  } finally {
    await queue.close();
    await connections.close();
    redis.disconnect();
    await server.stop();
  }
}

function payload(index: number) {
  return batchPayload(
    {
      publishId: `7b0f6a52-8a34-4f8e-9d0c-${String(Math.floor(index / 50)).padStart(12, '0')}`,
      tenantId: 'DEMO_TENANT',
      origin: 'manual',
      lane: 'live',
      readAt: new Date(),
      intervalMinutes: 15,
      seed: 'gridlens:DEMO_TENANT',
      meterCount: 25_000,
      feederCount: 25,
      snapshotId: null,
      rangeFrom: 0,
      rangeTo: 25_000,
      timeZone: 'UTC',
      climate: 'us',
      batchSize: 500,
      batchCount: 50,
      onConflict: 'nothing',
      requestId: 'f2a1c7e0-0a44-4c1d-8f0e-3f6f2f0c9a11',
    },
    index % 50,
  );
}

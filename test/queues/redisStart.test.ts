import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StartupError } from '../../src/contracts/errors.js';
import { batchPayload } from '../../src/ledger/batchPayload.js';
import { openQueues } from '../../src/queues/openQueues.js';
import { BEARER } from '../support/deployment.js';
import { type ProductProcess, startApiProcess, startWorkerProcess } from '../support/processes.js';
import { redisBinary, startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { type Relay, startRelay, type Trouble } from '../support/relay.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

/** Connections of a start, in order: two looks at the server, the producer's, a worker's own and the one it waits on. */
const CONNECTIONS = [0, 1, 2, 3, 4];
/** Answers of one connection's start: handshake, the look at whether it loads, scripts, first commands. */
const STAGES = [0, 1, 2, 3, 4];

const TROUBLES: Record<string, Trouble> = {
  'answers held back for 2 s': { delayMs: 2_000 },
  'the connection cut': { cut: true },
  'the connection half open': { halfOpen: true },
  'answers that trickle': { trickleMs: 20 },
};

describe.skipIf((await redisBinary()) === undefined)(
  'a Redis that is in trouble while a process starts',
  () => {
    let redis: TestRedis;
    let database: TestDatabase;
    const relays: Relay[] = [];
    const processes: ProductProcess[] = [];
    beforeAll(async () => {
      redis = (await startOwnRedis()) as TestRedis;
      database = await createTestDatabase();
    });
    afterEach(async () => {
      await Promise.all(processes.splice(0).map((running) => running.kill('SIGKILL')));
      await Promise.all(relays.splice(0).map((relay) => relay.close()));
    });
    afterAll(async () => {
      await database.drop();
      await redis.stop();
    });

    const relayed = async (connection: number, stage: number, trouble: Trouble): Promise<Relay> => {
      const relay = await startRelay(Number(new URL(redis.url).port));
      relays.push(relay);
      relay.trouble((made) => (made === connection ? { stage, trouble } : undefined));
      return relay;
    };

    /** `usable` when a job that is added is done, else how the start ended; anything else waits for ever. */
    const outcome = async (relay: Relay): Promise<string> => {
      const trouble: string[] = [];
      const opened = await openQueues({
        redisUrl: relay.url,
        databaseUrl: '',
        prefix: `{test-${randomUUID()}}`,
        onError: (error) => trouble.push(error.message),
      }).catch((error: unknown) => {
        if (error instanceof StartupError) return undefined;
        throw error;
      });
      if (opened === undefined) return 'ended';
      const { queue, ticks, connections } = opened;
      const done: string[] = [];
      const worker = queue.work(async ({ id }) => done.push(id), {
        lane: 'live',
        concurrency: 2,
        onCompleted: () => undefined,
        onFailed: () => undefined,
        onError: (error) => trouble.push(error.message),
      });
      try {
        // What befalls a request that is under way is answered with 503; the next finds the queue well.
        await waitFor(
          'the queue to take a job',
          () =>
            queue.add([job()]).then(
              () => true,
              () => false,
            ),
          45_000,
        );
        await waitFor('the job to be done', async () => done.length > 0, 45_000);
        return 'usable';
      } catch (error) {
        return `${(error as Error).message}: ${trouble.join('; ')}`;
      } finally {
        await worker.close();
        await ticks.close();
        await queue.close();
        await connections.close();
      }
    };

    it.each(Object.entries(TROUBLES))(
      'Q1: with %s at any stage of the start the queue is usable in the end, or the start fails',
      async (_name, trouble) => {
        const cases = CONNECTIONS.flatMap((connection) => STAGES.map((stage) => ({ connection, stage })));
        const outcomes = await Promise.all(
          cases.map(async ({ connection, stage }) => ({
            connection,
            stage,
            outcome: await outcome(await relayed(connection, stage, trouble)),
          })),
        );
        expect(outcomes.filter(({ outcome }) => outcome !== 'usable' && outcome !== 'ended')).toEqual([]);
        // Once the looks at the server are over, nothing that passes ends a process.
        expect(outcomes.filter(({ connection, outcome }) => connection >= 2 && outcome !== 'usable')).toEqual(
          [],
        );
      },
    );

    it('Q1: workers whose connections have just been cut close, whichever try to connect is next', async () => {
      const onError = (): void => undefined;
      const { queue, ticks, connections } = await openQueues({
        redisUrl: redis.url,
        databaseUrl: '',
        prefix: `{test-${randomUUID()}}`,
        onError,
      });
      const ended = { onCompleted: () => undefined, onFailed: () => undefined, onError };
      let done = 0;
      const workers = Array.from({ length: 12 }, () =>
        queue.work(
          async () => {
            done += 1;
          },
          { lane: 'live', concurrency: 1, ...ended },
        ),
      );
      await queue.add([job()]);
      await waitFor('the job to be done', async () => done === 1);
      const admin = new Redis(redis.url);
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      // They are closed at different times before and after the first try, which comes after 100 ms.
      await Promise.all(
        workers.map(async (worker, place) => {
          await sleep(place * 10);
          await worker.close();
        }),
      );
      await Promise.all([ticks.close(), queue.close(), admin.quit()]);
      await connections.close();
    });

    it('Q1: with one answer of each connection held back for 2 s the API publishes and the worker writes', async () => {
      const relay = await startRelay(Number(new URL(redis.url).port));
      relays.push(relay);
      // Of every connection: BullMQ's own first question came right after the client's.
      relay.trouble(() => ({ stage: 3, trouble: { delayMs: 2_000 } }));
      const env = { DATABASE_URL: database.url, REDIS_URL: relay.url };
      const api = await startApiProcess(env);
      processes.push(api);
      processes.push(await startWorkerProcess(env));
      const publishId = await waitFor('a publish to be accepted', async () => {
        const answer = await fetch(`${api.url}/api/ami/publish-once`, {
          method: 'POST',
          headers: { ...BEARER, 'Content-Type': 'application/json' },
          body: JSON.stringify({ tenantId: 'DEMO_TENANT', meterCount: 500 }),
        });
        return answer.status === 202 && ((await answer.json()) as { publishId: string }).publishId;
      });
      await waitFor('the publish to be written', async () => {
        const answer = await fetch(`${api.url}/api/ami/publish/${publishId}`);
        return ((await answer.json()) as { state: string }).state === 'done';
      });
      expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    });
  },
);

function job() {
  const payload = batchPayload(
    {
      publishId: randomUUID(),
      tenantId: 'DEMO_TENANT',
      origin: 'manual',
      lane: 'live',
      readAt: new Date(),
      intervalMinutes: 15,
      seed: 'seed',
      meterCount: 10,
      feederCount: 1,
      snapshotId: null,
      rangeFrom: 0,
      rangeTo: 10,
      timeZone: 'UTC',
      climate: 'us',
      batchSize: 10,
      batchCount: 1,
      onConflict: 'nothing',
      requestId: randomUUID(),
    },
    0,
  );
  return { payload, lane: 'live' as const, delayMs: 0 };
}

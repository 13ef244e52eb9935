import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { syncSchedulers } from '../../src/automatic/schedulers.js';
import { withTenantLock } from '../../src/automatic/tenantLock.js';
import type { IntervalMinutes } from '../../src/contracts/limits.js';
import {
  type Connections,
  openConnections,
  QUEUE_NAMES,
  type RawQueue,
} from '../../src/queues/queueConnections.js';
import { openTickQueue, type TickHandlers, type TickQueue } from '../../src/queues/tickQueue.js';
import { deployBudget, stretchBudget } from '../support/answerBudget.js';
import { type BackendName, describeOnBothBackends, describeOnce } from '../support/backends.js';
import { startOwnRedis } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

type Patterns = Record<IntervalMinutes, string>;
/** Fires while a test runs. */
const OFTEN: Patterns = { 15: '*/2 * * * * *', 60: '*/4 * * * * *' };
/** Fires on leap days, while no test runs. */
const SELDOM: Patterns = { 15: '0 0 0 29 2 *', 60: '0 0 1 29 2 *' };
const TENANT = 'TENANT-A';
const QUARTER = { tenantId: TENANT, intervalMinutes: 15 } as const;
const HOUR = { tenantId: TENANT, intervalMinutes: 60 } as const;
const STATES = ['waiting', 'paused', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as never[];
const KEY = `${QUEUE_NAMES.ticks}:repeat`;

/** What a BullMQ worker has besides, by which a test takes a job and does nothing with it. */
interface DyingWorker {
  nextJobFromJobData: () => Promise<undefined>;
  getNextJob(token: string): Promise<unknown>;
  close(force: boolean): Promise<void>;
}

/** What a process has of the queue, and a view of it as BullMQ sees it. */
interface Client {
  ticks: TickQueue;
  raw: RawQueue;
  connections: Connections;
}

/** Some processes' clients on one database and one queue. */
function bench(database: TestDatabase, redisUrl: string | undefined) {
  const prefix = `{test-${randomUUID()}}`;
  const clients: Client[] = [];
  const workers: { close(): Promise<void> }[] = [];
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  return {
    prefix,
    errors,
    async open(patterns: Patterns | undefined, count = 1): Promise<Client[]> {
      for (let made = 0; made < count; made += 1) {
        const connections = await openConnections({ redisUrl, databaseUrl: database.url, prefix, onError });
        const ticks = openTickQueue(connections, onError, patterns && { patterns });
        clients.push({ ticks, raw: connections.queue(QUEUE_NAMES.ticks), connections });
      }
      return clients.slice(-count);
    },
    work(ticks: TickQueue, handlers: Partial<TickHandlers>) {
      const nothing = async () => undefined;
      const worker = ticks.work({ onTick: nothing, onHeartbeat: nothing, ...handlers }, { onError });
      workers.push(worker);
      return worker;
    },
    async close() {
      for (const worker of workers.splice(0)) await worker.close();
      for (const { ticks, raw, connections } of clients.splice(0)) {
        await ticks.close();
        await raw.close();
        await connections.close();
      }
    },
  };
}

const jobs = async (raw: RawQueue) =>
  Object.values(await raw.getJobCounts(...STATES)).reduce((sum, count) => sum + count, 0);
const next = async (raw: RawQueue) => (await raw.getJobScheduler(TENANT))?.next ?? 0;

/** Makes the pending tick wait for nothing but a worker, as it does once one has seen that it is due. */
async function promote(raw: RawQueue): Promise<void> {
  const job = await raw.getJob(`repeat:${TENANT}:${await next(raw)}`);
  await (job as unknown as { promote(): Promise<void> }).promote();
  expect(await job?.getState()).toBe('waiting');
}

describeOnBothBackends('ticks', (backend: BackendName) => {
  let database: TestDatabase;
  let on: ReturnType<typeof bench>;
  beforeEach(async () => {
    stretchBudget();
    database = await createTestDatabase();
    on = bench(database, backend === 'redis' ? inject('redisUrl') : undefined);
  });
  afterEach(async () => {
    await on.close();
    await database.drop();
  });

  const open = async (patterns?: Patterns): Promise<Client> => (await on.open(patterns))[0] as Client;
  const ensure = (ticks: TickQueue, scheduler: typeof QUARTER | typeof HOUR = QUARTER) =>
    withTenantLock(database.pool, TENANT, () => ticks.ensure(scheduler, new Date()));
  const enable = (tenantId: string) =>
    database.pool.query(
      `INSERT INTO ami_auto (tenant_id, enabled, interval_minutes, batch_size, meter_count, feeder_count, fleet,
         time_zone, climate, catch_up_intervals, started_at, changed_at)
       VALUES ($1, true, 15, 500, 100, 10, 'synthetic', 'UTC', 'central', 4, now(), now())`,
      [tenantId],
    );
  /** Deletes behind BullMQ's back. */
  const lose = async (
    what: 'scheduler' | 'tick' | 'scheduler with its tick',
    slot: number,
  ): Promise<void> => {
    const jobId = `repeat:${TENANT}:${slot}`;
    if (backend === 'postgres') {
      if (what !== 'tick') await database.pool.query('DELETE FROM bullmq.scheduler');
      if (what !== 'scheduler') await database.pool.query('DELETE FROM bullmq.job WHERE id = $1', [jobId]);
      return;
    }
    const redis = new Redis(inject('redisUrl') as string);
    const key = `${on.prefix}:${KEY}`;
    if (what !== 'tick') {
      await redis.zrem(key, TENANT);
      await redis.del(`${key}:${TENANT}`);
    }
    if (what !== 'scheduler') {
      await redis.zrem(`${on.prefix}:${QUEUE_NAMES.ticks}:delayed`, jobId);
      await redis.del(`${key}:${TENANT}:${slot}`);
    }
    redis.disconnect();
  };

  it('fire on the quarter hour or the hour in UTC', async () => {
    const { ticks, raw } = await open();
    const asked = Date.now();
    expect(await ensure(ticks)).toBe('made');
    const scheduler = await raw.getJobScheduler(TENANT);
    expect(scheduler).toMatchObject({
      key: TENANT,
      name: 'tick',
      pattern: '0 0,15,30,45 * * * *',
      tz: 'UTC',
    });
    expect(scheduler?.template?.data).toEqual(QUARTER);
    expect((scheduler?.next ?? 1) % 900_000).toBe(0);
    expect(scheduler?.next).toBeGreaterThan(asked);
    await ticks.ensure({ tenantId: 'HOURLY', intervalMinutes: 60 }, new Date());
    expect(((await raw.getJobScheduler('HOURLY'))?.next ?? 1) % 3_600_000).toBe(0);
    expect((await ticks.tenants()).sort()).toEqual(['HOURLY', TENANT]);
  });

  it('have one scheduler and one pending tick, whoever asks for them at once', async () => {
    const clients = await on.open(SELDOM, 5);
    const done = await Promise.all(clients.map(({ ticks }) => ensure(ticks)));
    expect(done.sort()).toEqual(['kept', 'kept', 'kept', 'kept', 'made']);
    const { ticks, raw } = clients[0] as Client;
    expect(await raw.getJobSchedulers()).toHaveLength(1);
    expect(await jobs(raw)).toBe(1);
    expect(await ensure(ticks)).toBe('kept');
    const changed = await Promise.all(clients.map((client) => ensure(client.ticks, HOUR)));
    expect(changed.sort()).toEqual(['changed', 'kept', 'kept', 'kept', 'kept']);
    expect(await raw.getJobScheduler(TENANT)).toMatchObject({
      pattern: SELDOM[60],
      template: { data: HOUR },
    });
    expect(await jobs(raw)).toBe(1);
  });

  it('come at their boundaries while five processes make sure of them all the time', async () => {
    const clients = await on.open(OFTEN, 5);
    const { ticks, raw } = clients[0] as Client;
    const slots: number[] = [];
    await ensure(ticks);
    for (const client of clients.slice(0, 2)) {
      on.work(client.ticks, {
        onTick: async (tenantId, slot) => {
          expect(tenantId).toBe(TENANT);
          slots.push(slot.getTime());
        },
      });
    }
    const answers = new Set<string>();
    const asking = clients.map(async (client) => {
      while (slots.length < 4) answers.add(await ensure(client.ticks));
    });
    await Promise.all(asking);
    // Never upserted again, so that none was taken away.
    expect([...answers]).toEqual(['kept']);
    expect(slots.every((slot) => slot % 2_000 === 0)).toBe(true);
    expect(new Set(slots).size).toBe(slots.length);
    expect(await raw.getJobSchedulers()).toHaveLength(1);
    expect(on.errors).toEqual([]);
  });

  it('are not lost when they are due and nobody has taken them, whatever is asked for then', async () => {
    const { ticks, raw } = await open(OFTEN);
    await ensure(ticks);
    const slot = await next(raw);
    await sleep(slot + 500 - Date.now());
    expect(await Promise.all([ensure(ticks), ensure(ticks), ensure(ticks, HOUR)])).toEqual([
      'kept',
      'kept',
      'kept',
    ]);
    expect(await next(raw)).toBe(slot);
    const slots: Date[] = [];
    on.work(ticks, { onTick: async (_tenant, at) => void slots.push(at) });
    await waitFor('the tick', async () => slots.length > 0);
    expect(slots[0]).toEqual(new Date(slot));
  });

  it.each([
    ['tick', 'restored'],
    ['scheduler with its tick', 'made'],
  ] as const)('come back when a %s was lost', async (what, answer) => {
    const { ticks, raw } = await open(SELDOM);
    await ensure(ticks);
    const slot = await next(raw);
    await lose(what, slot);
    expect(await ticks.inspect(QUARTER, new Date())).toBe(answer);
    expect(await ensure(ticks)).toBe(answer);
    expect(await next(raw)).toBe(slot);
    expect(await jobs(raw)).toBe(1);
    expect(await (await raw.getJob(`repeat:${TENANT}:${slot}`))?.getState()).toBe('delayed');
    expect(await ensure(ticks)).toBe('kept');
  });

  it('come back when a scheduler was lost without its tick, after that tick', async () => {
    const { ticks, raw } = await open(OFTEN);
    await ensure(ticks);
    const slot = await next(raw);
    await lose('scheduler', slot);
    const slots: number[] = [];
    on.work(ticks, { onTick: async (_tenant, at) => void slots.push(at.getTime()) });
    await waitFor('the scheduler', async () => (await ensure(ticks)) === 'made');
    await waitFor('the next tick', async () => slots.length >= 2);
    expect(slots[0]).toBe(slot);
    expect(new Set(slots).size).toBe(slots.length);
    expect(await raw.getJobSchedulers()).toHaveLength(1);
  });

  it('come back when one was lost after it was due', async () => {
    const { ticks, raw } = await open(OFTEN);
    await ensure(ticks);
    const slot = await next(raw);
    await lose('tick', slot);
    await sleep(Math.max(0, slot + 200 - Date.now()));
    expect(await ensure(ticks)).toBe('restored');
    expect(await next(raw)).toBeGreaterThan(slot);
    expect(await jobs(raw)).toBe(1);
  });

  it('are gone when they are removed: pending, due, or being processed', async () => {
    const seldom = await open(SELDOM);
    await ensure(seldom.ticks);
    await seldom.ticks.remove(TENANT);
    await seldom.ticks.remove(TENANT);
    expect(await seldom.ticks.tenants()).toEqual([]);
    expect(await jobs(seldom.raw)).toBe(0);

    const { ticks, raw } = await open(OFTEN);
    await ensure(ticks);
    await sleep((await next(raw)) + 500 - Date.now());
    await ticks.remove(TENANT);
    expect(await jobs(raw)).toBe(0);

    // In the hands of the worker, but for a free place.
    await ensure(ticks);
    await promote(raw);
    expect(await ensure(ticks, HOUR)).toBe('kept');
    expect(await jobs(raw)).toBe(1);
    await ticks.remove(TENANT);
    expect(await jobs(raw)).toBe(0);

    let started = 0;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    on.work(ticks, {
      async onTick() {
        started += 1;
        await ended;
      },
    });
    await ensure(ticks);
    await waitFor('the tick', async () => started > 0);
    await ticks.remove(TENANT);
    const startedBefore = started;
    end();
    await waitFor('its end', async () => (await jobs(raw)) === 0);
    expect(await ticks.tenants()).toEqual([]);
    // Two boundaries on: nothing carries on by itself.
    await sleep(4_500);
    expect(started).toBe(startedBefore);
    expect(await jobs(raw)).toBe(0);
  });

  it('that fail are said, leave nothing, and the next one comes', async () => {
    const { ticks, raw } = await open(OFTEN);
    const slots: number[] = [];
    on.work(ticks, {
      async onTick(_tenant, slot) {
        slots.push(slot.getTime());
        if (slots.length === 1) throw new Error('no luck');
      },
    });
    await ensure(ticks);
    await waitFor('the next', async () => slots.length >= 2);
    expect(on.errors.map(({ message }) => message)).toEqual([`repeat:${TENANT}:${slots[0]} failed: no luck`]);
    expect((await raw.getJobCounts('failed', 'completed')).failed).toBe(0);
  });

  it.each(['before it told when the next one is', 'after it told when the next one is'])(
    'outlive a worker that died with one in its hands, %s',
    async (when) => {
      const { ticks, raw, connections } = await open(OFTEN);
      await ensure(ticks);
      const slot = await next(raw);
      const dying = connections.worker(QUEUE_NAMES.ticks, async () => undefined, {
        autorun: false,
        lockDuration: 2_000,
      }) as unknown as DyingWorker;
      // BullMQ takes a job, then has its scheduler make the next one.
      if (when.startsWith('before')) dying.nextJobFromJobData = async () => undefined;
      await waitFor('the tick to be taken', async () => {
        await dying.getNextJob('dead');
        return (await (await raw.getJob(`repeat:${TENANT}:${slot}`))?.getState()) === 'active';
      });
      await dying.close(true);
      expect(await ensure(ticks)).toBe('kept');
      expect(await ensure(ticks, HOUR)).toBe('kept');
      const slots: number[] = [];
      on.work(ticks, { onTick: async (_tenant, at) => void slots.push(at.getTime()) });
      await waitFor(
        'it, and one after it',
        async () => slots.includes(slot) && slots.some((at) => at > slot),
      );
      expect(new Set(slots).size).toBe(slots.length);
      expect(await ensure(ticks)).toBe('kept');
    },
  );

  it('follow the configuration: what is missing is made, what is too many removed', async () => {
    const { ticks, raw } = await open(SELDOM);
    await enable(TENANT);
    await enable('TENANT-B');
    await ticks.ensure({ tenantId: 'STRAY', intervalMinutes: 15 }, new Date());
    const sync = () => syncSchedulers(database.pool, ticks, new Date());
    expect(await sync()).toEqual({ made: 2, removed: 1 });
    expect(await sync()).toEqual({ made: 0, removed: 0 });
    expect((await ticks.tenants()).sort()).toEqual([TENANT, 'TENANT-B']);
    await lose('tick', await next(raw));
    await database.pool.query(`UPDATE ami_auto SET interval_minutes = 60 WHERE tenant_id = 'TENANT-B'`);
    expect(await sync()).toEqual({ made: 2, removed: 0 });
    await database.pool.query('UPDATE ami_auto SET enabled = false');
    expect(await sync()).toEqual({ made: 0, removed: 2 });
    expect(await jobs(raw)).toBe(0);
  });

  it('are put right by five processes at once', async () => {
    const clients = await on.open(SELDOM, 5);
    for (const tenantId of ['T1', 'T2', 'T3']) await enable(tenantId);
    const done = await Promise.all(
      clients.map(({ ticks }) => syncSchedulers(database.pool, ticks, new Date())),
    );
    expect(done.reduce((sum, { made }) => sum + made, 0)).toBe(3);
    expect(await jobs((clients[0] as Client).raw)).toBe(3);
  });

  it('do not wait for a tenant that somebody else is changing, and do the others', async () => {
    deployBudget();
    const { ticks } = await open(SELDOM);
    for (const tenantId of ['T1', 'T2', 'T3']) await enable(tenantId);
    await withTenantLock(database.pool, 'T1', () =>
      expect(syncSchedulers(database.pool, ticks, new Date())).rejects.toThrow(/lock timeout/),
    );
    expect((await ticks.tenants()).sort()).toEqual(['T2', 'T3']);
  });

  it('share their queue with heartbeats, of which one a worker waits at most', async () => {
    const { ticks, raw } = await open(SELDOM);
    for (let beats = 0; beats < 5; beats += 1) await ticks.beat('w1');
    await ticks.beat('w2');
    expect(await jobs(raw)).toBe(2);
    let processed = 0;
    const worker = on.work(ticks, {
      onHeartbeat: async () => {
        processed += 1;
      },
    });
    await waitFor('both', async () => processed === 2 && (await jobs(raw)) === 0);
    await ticks.beat('w1');
    await waitFor('the next', async () => processed === 3);
    await worker.close();
    await ticks.beat('w1');
    expect(await jobs(raw)).toBe(1);
    expect(on.errors).toEqual([]);
  });
});

describeOnce('ticks in a Redis that loses everything', () => {
  it('are made again from the configuration, and reach a worker that stayed', async (test) => {
    const redis = await startOwnRedis();
    if (!redis) return test.skip('there is no redis-server or valkey-server on the PATH');
    const database = await createTestDatabase();
    const on = bench(database, redis.url);
    try {
      const [{ ticks, raw }] = (await on.open(OFTEN)) as [Client];
      const slots: number[] = [];
      on.work(ticks, { onTick: async (_tenant, slot) => void slots.push(slot.getTime()) });
      await ticks.ensure(QUARTER, new Date());
      await waitFor('a tick', async () => slots.length > 0);
      const flusher = new Redis(redis.url);
      await flusher.flushall();
      flusher.disconnect();
      expect(await ticks.tenants()).toEqual([]);
      expect(await ticks.ensure(QUARTER, new Date())).toBe('made');
      const slot = await next(raw);
      await waitFor('the next tick', async () => slots.includes(slot));
    } finally {
      await on.close();
      await redis.stop();
      await database.drop();
    }
  });
});

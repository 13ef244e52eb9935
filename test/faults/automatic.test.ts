import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { killsAtBoundaries, outage, waitForOneTick, wipe } from '../endurance/downtime.js';
import { longAgo } from '../endurance/ownDeployment.js';
import { race } from '../endurance/race.js';
import { describeOnBothBackends } from '../support/backends.js';
import { type ClockedDeployment, openClockedDeployment } from '../support/clockedDeployment.js';
import { startOwnRedis, type TestRedis } from '../support/redisServer.js';
import { waitForWhole } from '../support/slots.js';
import { nextQuarter, plus, QUARTER_MS, quarters } from '../support/testClock.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const LEAD_MS = 6_000;
/** Ten processes start, and quarter hours come, while others have the machine's cores as well. */
const TIMEOUT_MS = 300_000;

/**
 * The automatic mode in real processes that are really killed, under a clock of the test's (shiftedClock.ts). The long
 * forms are `npm run endurance -- race` and `-- downtime`.
 */
describeOnBothBackends('automatic mode in real processes', (backend) => {
  let database: TestDatabase;
  let redis: TestRedis | undefined;
  let deployment: ClockedDeployment;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = backend === 'redis' ? await startOwnRedis() : undefined;
    deployment = await openClockedDeployment({
      databaseUrl: database.url,
      redisUrl: redis?.url,
      start: longAgo(),
    });
  });
  beforeEach(({ onTestFailed, task }) => {
    onTestFailed(async () => {
      const errors = (task.result?.errors ?? []).map(({ message }) => message);
      process.stdout.write(`${[...errors, ...(await deployment.troubles())].join('\n')}\n`);
      await stopEveryTenant();
    });
  });
  afterAll(async () => {
    await deployment.close();
    await redis?.stop();
    await database.drop();
  });

  const waitForNothingPending = () =>
    waitFor('empty queues', async () => (await deployment.pending()).length === 0);
  /** After a failure: the next tests look at all schedulers there are, and must not find this one's. */
  const stopEveryTenant = async () => {
    await deployment.processes({ apis: 1, workers: 1 });
    const { rows } = await deployment.pool.query<{ tenantId: string }>(
      'SELECT tenant_id AS "tenantId" FROM ami_auto WHERE enabled',
    );
    for (const { tenantId } of rows) await deployment.post('/auto/stop', { tenantId });
    await waitForNothingPending();
  };
  const fleet = (tenantId: string) => ({ tenantId, meterCount: 50, batchSize: 25 });
  /** Past the next boundary and the time that a tick is waited for there, with time for a few passes at each. */
  const throughBoundary = async () => {
    const boundary = nextQuarter(deployment.clock.now());
    deployment.clock.set(plus(boundary, -1_000));
    await deployment.clock.until(plus(boundary, 4_000));
    deployment.clock.set(plus(boundary, 11_000));
    await deployment.clock.until(plus(boundary, 15_000));
  };
  const waitingClaims = async () =>
    (await deployment.pool.query('SELECT FROM ami_ticks WHERE publish_id IS NULL')).rowCount;

  it(
    'has one scheduler and one publish an interval, started by five processes at once around a boundary',
    async () => {
      const result = await race(deployment, 2);
      expect(result.intervals).toBeGreaterThanOrEqual(2 * (4 + 5));
      await waitForNothingPending();
      expect(await deployment.schedulers()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'leaves nothing behind when five processes stop it while a tick is being published',
    async () => {
      await deployment.processes({ apis: 5, workers: 1 });
      const tenantId = 'STOPPED';
      const boundary = nextQuarter(plus(deployment.clock.now(), LEAD_MS));
      deployment.clock.set(plus(boundary, -60_000));
      await deployment.post('/auto/start', { tenantId, meterCount: 5_000, batchSize: 100 });
      const before = quarters(plus(boundary, -4 * QUARTER_MS), plus(boundary, -QUARTER_MS));
      await waitForWhole(deployment, tenantId, before, 5_000);
      deployment.clock.set(plus(boundary, -LEAD_MS));
      await waitFor('the middle of the tick', async () => {
        const slot = (await deployment.slots(tenantId)).at(-1);
        return slot?.readAt === boundary.toISOString() && slot.open < 45 && slot.open > 0;
      });
      const answers = await Promise.all(
        deployment.apis.map((_, api) => deployment.post('/auto/stop', { tenantId }, api)),
      );
      expect(answers.filter(({ wasEnabled }) => wasEnabled)).toHaveLength(1);
      expect(await deployment.schedulers()).toEqual([]);
      // What was accepted is still written.
      await waitForNothingPending();
      await waitForWhole(deployment, tenantId, [...before, boundary.toISOString()], 5_000);
      await throughBoundary();
      expect((await deployment.slots(tenantId)).map(({ readAt }) => readAt)).toEqual([
        ...before,
        boundary.toISOString(),
      ]);
      expect(await deployment.schedulers()).toEqual([]);
      expect(await deployment.pending()).toEqual([]);
      expect(await waitingClaims()).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'is what the last call said, after fifty starts and stops by three processes at a boundary',
    async () => {
      await deployment.processes({ apis: 3, workers: 2 });
      const tenantId = 'TURNED';
      const alternate = () =>
        Promise.all(
          deployment.apis.map(async (_, api) => {
            for (let call = api; call < 50; call += 3) {
              const path = call % 2 === 0 ? '/auto/start' : '/auto/stop';
              await deployment.post(path, path === '/auto/start' ? fleet(tenantId) : { tenantId }, api);
              await sleep(200 * Math.random());
            }
          }),
        );
      deployment.clock.set(plus(nextQuarter(deployment.clock.now()), -1_000));
      await alternate();
      await deployment.post('/auto/stop', { tenantId });
      const stoppedAt = deployment.clock.now();
      expect(await deployment.schedulers()).toEqual([]);
      await waitForNothingPending();
      await throughBoundary();
      expect((await deployment.slots(tenantId)).filter(({ readAt }) => new Date(readAt) > stoppedAt)).toEqual(
        [],
      );
      expect(await deployment.schedulers()).toEqual([]);
      expect(await deployment.pending()).toEqual([]);
      expect(await waitingClaims()).toBe(0);

      const boundary = nextQuarter(plus(deployment.clock.now(), LEAD_MS));
      deployment.clock.set(plus(boundary, -1_000));
      await alternate();
      await deployment.post('/auto/start', fleet(tenantId));
      await waitForOneTick(deployment, tenantId);
      // What is filled in behind the boundary begins further back, the newest first.
      await waitFor('the last four intervals', async () => {
        const slots = await deployment.slots(tenantId);
        const running = plus(nextQuarter(deployment.clock.now()), -QUARTER_MS);
        return quarters(plus(running, -3 * QUARTER_MS), running).every((wanted) =>
          slots.some(({ readAt, open }) => readAt === wanted && open === 0),
        );
      });
      const last = plus(boundary, QUARTER_MS);
      deployment.clock.set(plus(last, -LEAD_MS));
      const first = (await deployment.slots(tenantId))[0]?.readAt as string;
      await waitForWhole(deployment, tenantId, quarters(new Date(first), last), 50);
      await waitForOneTick(deployment, tenantId);
      await deployment.post('/auto/stop', { tenantId });
    },
    TIMEOUT_MS,
  );

  it(
    'makes up for 47 minutes in which everything was away, none twice',
    async () => {
      await outage(deployment, { tenantId: 'AWAY', meterCount: 2_000, killedAfterMs: 1_000 * Math.random() });
    },
    TIMEOUT_MS,
  );

  it(
    "comes back by itself when the queue's data is wiped with batches outstanding",
    async () => {
      const { owed } = await wipe(deployment, 'WIPED');
      expect(owed).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'publishes each interval once although the only worker is killed in the middle of ticks',
    async () => {
      const tenantId = 'CUT';
      const meterCount = 5_000;
      await deployment.processes({ apis: 1, workers: 1 });
      const boundary = nextQuarter(plus(deployment.clock.now(), 60_000));
      deployment.clock.set(plus(boundary, -60_000));
      await deployment.post('/auto/start', { tenantId, meterCount, batchSize: 100 });
      const before = quarters(plus(boundary, -4 * QUARTER_MS), plus(boundary, -QUARTER_MS));
      await waitForWhole(deployment, tenantId, before, meterCount);
      deployment.clock.set(plus(boundary, -LEAD_MS));
      await waitFor('the middle of the tick', async () => {
        const slot = (await deployment.slots(tenantId)).at(-1);
        return slot?.readAt === boundary.toISOString() && slot.open < 40 && slot.open > 0;
      });
      await deployment.processes({ apis: 1, workers: 0 });
      await deployment.processes({ apis: 1, workers: 1 });
      await waitForWhole(deployment, tenantId, [...before, boundary.toISOString()], meterCount);
      await deployment.post('/auto/stop', { tenantId });
      await killsAtBoundaries(deployment, 'KILLED', 4);
    },
    TIMEOUT_MS,
  );
});

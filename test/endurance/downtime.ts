import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockedDeployment } from '../support/clockedDeployment.js';
import { type Slot, waitForWhole } from '../support/slots.js';
import { nextQuarter, plus, QUARTER_MS, quarters } from '../support/testClock.js';
import { waitFor } from '../support/waitFor.js';
import { OWN_DEPLOYMENT_OPTIONS, onOwnDeployments } from './ownDeployment.js';

/** Time that everything is away, and how many intervals are made up for: the three or four that this is longer than. */
const AWAY_MS = 47 * 60_000;
const CATCH_UP = 4;
/** The clock is put so far before a boundary. */
const LEAD_MS = 6_000;

interface Outage {
  tenantId: string;
  meterCount: number;
  /** When everything is killed, from a boundary on. */
  killedAfterMs: number;
}

/**
 * Kills every process, and starts them again when the clock is 47 minutes on.
 *
 * @returns how long after the restart had begun everything missed was there, s.
 * @throws when an interval is missing or was published twice, or the next boundary brings none.
 */
export async function outage(deployment: ClockedDeployment, { tenantId, ...how }: Outage): Promise<number> {
  const { clock } = deployment;
  const { meterCount } = how;
  await deployment.processes({ apis: 1, workers: 2 });
  const boundary = nextQuarter(plus(clock.now(), LEAD_MS + 60_000));
  clock.set(plus(boundary, -LEAD_MS - 60_000));
  const settings = { meterCount, batchSize: Math.ceil(meterCount / 50), catchUpIntervals: CATCH_UP };
  await deployment.post('/auto/start', { tenantId, ...settings });
  const first = plus(boundary, -CATCH_UP * QUARTER_MS);
  await waitForWhole(deployment, tenantId, quarters(first, plus(boundary, -QUARTER_MS)), meterCount);

  // Around the boundary it comes in its time, else it is leapt over.
  clock.set(plus(boundary, how.killedAfterMs < LEAD_MS ? -LEAD_MS : how.killedAfterMs - LEAD_MS));
  await clock.until(plus(boundary, how.killedAfterMs));
  const killedAt = clock.now();
  await deployment.killAll();
  clock.set(plus(killedAt, AWAY_MS));
  const started = performance.now();
  await deployment.processes({ apis: 1, workers: 2 });
  const running = plus(nextQuarter(clock.now()), -QUARTER_MS);
  await waitForWhole(deployment, tenantId, quarters(first, running), meterCount);
  const seconds = (performance.now() - started) / 1000;

  const next = plus(running, QUARTER_MS);
  clock.set(plus(next, -LEAD_MS));
  await waitForWhole(deployment, tenantId, quarters(first, next), meterCount);
  await waitForOneTick(deployment, tenantId);
  await deployment.post('/auto/stop', { tenantId });
  return seconds;
}

export interface Wiped {
  /** Accepted batches that were owed when the queue's data went, and s until all were written. */
  owed: number;
  writtenAfter: number;
  /** Until the scheduler and its tick were back, s. */
  schedulerAfter: number;
  /** From the next boundary until its reads were all there, s. */
  boundaryAfter: number;
}

/**
 * Wipes the queue's data with batches outstanding, 40 s before a boundary, and touches nothing after.
 *
 * @throws when the scheduler is not back, or an interval is missing or was published twice.
 */
export async function wipe(deployment: ClockedDeployment, tenantId: string): Promise<Wiped> {
  const meterCount = 5_000;
  const { clock } = deployment;
  await deployment.processes({ apis: 1, workers: 2 });
  const boundary = nextQuarter(plus(clock.now(), 60_000));
  clock.set(plus(boundary, -45_000));
  await deployment.post('/auto/start', { tenantId, meterCount, batchSize: 100, catchUpIntervals: CATCH_UP });
  const wanted = quarters(plus(boundary, -CATCH_UP * QUARTER_MS), boundary);
  const batches = async () =>
    (
      await deployment.pool.query<{ done: number; owed: number; publishes: string[] }>(
        `SELECT count(*) FILTER (WHERE state = 'done')::integer AS done, array_agg(DISTINCT publish_id::text) AS publishes,
           count(*) FILTER (WHERE state = 'pending')::integer AS owed FROM ami_publish_batches WHERE tenant_id = $1`,
        [tenantId],
      )
    ).rows[0] as { done: number; owed: number; publishes: string[] };
  await waitFor('the middle of the catch-up', async () => {
    const { done, owed } = await batches();
    return done >= 20 && owed >= 50;
  });
  await deployment.wipeQueue();
  const wiped = performance.now();
  const secondsSince = () => (performance.now() - wiped) / 1000;
  const { owed, publishes } = await batches();

  const scheduler = waitForOneTick(deployment, tenantId).then(secondsSince);
  const written = waitFor('the batches that were owed', async () => {
    const { rows } = await deployment.pool.query<{ owed: number }>(
      `SELECT count(*)::integer AS owed FROM ami_publish_batches WHERE publish_id = ANY ($1) AND state <> 'done'`,
      [publishes],
    );
    return rows[0]?.owed === 0;
  }).then(secondsSince);
  const [schedulerAfter, writtenAfter] = await Promise.all([scheduler, written]);
  await clock.until(boundary);
  const slots = await waitForWhole(deployment, tenantId, wanted, meterCount);
  const boundaryAfter = (clock.now().getTime() - boundary.getTime()) / 1000;
  requireAll(slots, wanted);
  await waitForOneTick(deployment, tenantId);
  await deployment.post('/auto/stop', { tenantId });
  return { owed, writtenAfter, schedulerAfter, boundaryAfter };
}

/**
 * Kills the only worker `kills` times, each time within a few seconds of a boundary of its own: between tick, claim,
 * publish and batches, wherever that is.
 *
 * @returns how many intervals there were in the end.
 * @throws when one is missing or was published twice.
 */
export async function killsAtBoundaries(
  deployment: ClockedDeployment,
  tenantId: string,
  kills: number,
): Promise<number> {
  const meterCount = 500;
  const { clock } = deployment;
  await deployment.processes({ apis: 1, workers: 1 });
  const catchUpIntervals = kills + 2;
  await deployment.post('/auto/start', { tenantId, meterCount, batchSize: 50, catchUpIntervals });
  const running = plus(nextQuarter(clock.now()), -QUARTER_MS);
  const first = plus(running, -(catchUpIntervals - 1) * QUARTER_MS);
  await waitForWhole(deployment, tenantId, quarters(first, running), meterCount);
  for (let kill = 0; kill < kills; kill += 1) {
    const boundary = nextQuarter(plus(clock.now(), 2_000));
    clock.set(plus(boundary, -2_000 * Math.random()));
    await sleep(4_000 * Math.random());
    await deployment.processes({ apis: 1, workers: 0 });
    await deployment.processes({ apis: 1, workers: 1 });
  }
  const last = plus(nextQuarter(clock.now()), -QUARTER_MS);
  const slots = await waitForWhole(deployment, tenantId, quarters(first, last), meterCount, 120_000);
  await waitForOneTick(deployment, tenantId);
  await deployment.post('/auto/stop', { tenantId });
  return slots.length;
}

/** Waits until a tenant has one scheduler and one tick to come. */
export async function waitForOneTick(deployment: ClockedDeployment, tenantId: string): Promise<void> {
  const isOwn = (entry: { tenantId: string }) => entry.tenantId === tenantId;
  let seen: unknown;
  await waitFor(`one scheduler and one tick of ${tenantId}`, async () => {
    const schedulers = (await deployment.schedulers()).filter(isOwn);
    const ticks = (await deployment.pending()).filter(isOwn).filter(({ name }) => name === 'tick');
    seen = { schedulers, ticks };
    return schedulers.length === 1 && ticks.length === 1;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; there was ${JSON.stringify(seen)}`);
  });
}

function requireAll(slots: readonly Slot[], wanted: readonly string[]): void {
  if (slots.map(({ readAt }) => readAt).join() !== wanted.join()) throw new Error(`not ${wanted.join(' ')}`);
}

/** The long form. */
export const ABOUT =
  'everything killed and back after 47 minutes by its clock, the queue wiped, the worker killed 20 times, on each queue backend';
export const OPTIONS = OWN_DEPLOYMENT_OPTIONS;
export const run = onOwnDeployments({ rounds: 4 }, async (deployment, rounds, say) => {
  for (let round = 1; round <= rounds; round += 1) {
    // Now in the middle of a boundary's publish, now long after it.
    const killedAfterMs = round % 2 === 1 ? 3_000 * Math.random() - 500 : 60_000 * (1 + 12 * Math.random());
    const seconds = await outage(deployment, { tenantId: `AWAY-${round}`, meterCount: 2_000, killedAfterMs });
    say(
      `round ${round}: killed ${(killedAfterMs / 1000).toFixed(1)} s after a boundary, back 47 minutes later: whole ${seconds.toFixed(1)} s after the restart began`,
    );
    const wiped = await wipe(deployment, `WIPED-${round}`);
    say(
      `round ${round}: wiped with ${wiped.owed} batches owed: all written after ${wiped.writtenAfter.toFixed(1)} s, the scheduler back after ${wiped.schedulerAfter.toFixed(1)} s, the next boundary's reads there ${wiped.boundaryAfter.toFixed(1)} s after it`,
    );
  }
  const kills = 20;
  const intervals = await killsAtBoundaries(deployment, 'KILLED', kills);
  say(`the only worker killed ${kills} times around boundaries: ${intervals} intervals, each whole and once`);
});

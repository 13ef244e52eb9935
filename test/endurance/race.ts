import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockedDeployment } from '../support/clockedDeployment.js';
import { type Slot, waitForUnbroken } from '../support/slots.js';
import { nextQuarter, plus, QUARTER_MS } from '../support/testClock.js';
import { waitFor } from '../support/waitFor.js';
import { OWN_DEPLOYMENT_OPTIONS, onOwnDeployments } from './ownDeployment.js';

const METERS = 50;
const PROCESSES = { apis: 5, workers: 5 };
/** The clock is put so far before a boundary, and starts come at most so far before and after it. */
const LEAD_MS = 6_000;
const AROUND_MS = 3_000;
/** All processes are killed and started anew this often. */
const RESTART_EVERY = 7;

export interface RaceResult {
  rounds: number;
  /** From a boundary until all reads of a tenant that was started around it were there; ms. */
  wholeAfterMs: number[];
  /** Intervals looked at, each published once and whole. */
  intervals: number;
}

/**
 * `auto/start` from five API processes at once around a boundary, with five worker processes, `rounds` times with new
 * tenants: of each there is one scheduler, one tick to come, one publish an interval, and no interval is missing; also
 * of the tenants of the rounds before, which go on.
 *
 * @throws when that is not so.
 */
export async function race(
  deployment: ClockedDeployment,
  rounds: number,
  say: (line: string) => void = () => undefined,
  random: () => number = Math.random,
): Promise<RaceResult> {
  const { clock } = deployment;
  const result: RaceResult = { rounds, wholeAfterMs: [], intervals: 0 };
  const steady: string[] = [];
  const mixed: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    if (round % RESTART_EVERY === 0) await deployment.killAll();
    await deployment.processes(PROCESSES);
    const boundary = nextQuarter(plus(clock.now(), LEAD_MS));
    clock.set(plus(boundary, -LEAD_MS));
    const same = `SAME-${round}`;
    const other = `OTHER-${round}`;
    const sized = `MIXED-${round}`;
    await Promise.all([
      startFromAll(deployment, random, boundary, same, () => ({})),
      // What is stored last counts, and covers what was published for another.
      startFromAll(deployment, random, boundary, other, (api) => ({
        batchSize: 10 + api,
        catchUpIntervals: 4 + api,
      })),
      startFromAll(deployment, random, boundary, sized, (api) => ({
        meterCount: METERS + api,
        intervalMinutes: api % 2 === 0 ? 15 : 60,
      })),
    ]);
    steady.push(same, other);
    mixed.push(sized);
    for (const tenantId of [same, other]) {
      const slots = await waitForStoredCatchUp(deployment, tenantId, boundary);
      const late = await wholeAt(deployment, tenantId, boundary);
      result.wholeAfterMs.push(late - boundary.getTime());
      say(
        `round ${round}, ${tenantId}: ${slots.length} intervals once each, the boundary's whole after ${late - boundary.getTime()} ms (${slots.at(-1)?.origins.join()})`,
      );
    }
    await waitForSchedulers(deployment, [...steady, ...mixed]);
  }
  const last = plus(nextQuarter(clock.now()), -QUARTER_MS);
  for (const tenantId of steady)
    result.intervals += (await waitForStoredCatchUp(deployment, tenantId, last)).length;
  for (const tenantId of mixed) await waitForStored(deployment, tenantId);
  await waitForSchedulers(deployment, [...steady, ...mixed]);
  for (const tenantId of [...steady, ...mixed]) await deployment.post('/auto/stop', { tenantId });
  return result;
}

/** One start by each API, at an instant of its own around the boundary. */
async function startFromAll(
  { apis, clock, post }: ClockedDeployment,
  random: () => number,
  boundary: Date,
  tenantId: string,
  settings: (api: number) => object,
): Promise<void> {
  await Promise.all(
    apis.map(async (_, api) => {
      await clock.until(plus(boundary, (2 * random() - 1) * AROUND_MS));
      await post('/auto/start', { tenantId, meterCount: METERS, batchSize: 25, ...settings(api) }, api);
    }),
  );
}

/**
 * Waits until a tenant's intervals are whole, once each, without a gap up to `last`: as many as the start that was stored
 * last asks for, or more, since what another start's settings asked for a moment long stays owed further back.
 */
async function waitForStoredCatchUp(
  deployment: ClockedDeployment,
  tenantId: string,
  last: Date,
): Promise<Slot[]> {
  const { rows } = await deployment.pool.query<{ intervals: number }>(
    'SELECT catch_up_intervals AS intervals FROM ami_auto WHERE tenant_id = $1 AND enabled',
    [tenantId],
  );
  const atLeast = (rows[0] as (typeof rows)[number]).intervals;
  return waitForUnbroken(deployment, tenantId, { last, atLeast, meters: METERS });
}

/** When, by the processes' clock, the last read of an interval was written. */
async function wholeAt({ pool, clock }: ClockedDeployment, tenantId: string, readAt: Date): Promise<number> {
  const { rows } = await pool.query<{ at: Date }>(
    `SELECT max(finished_at) AS at FROM ami_publish_batches JOIN ami_publishes publish USING (publish_id)
     WHERE publish.tenant_id = $1 AND read_at = $2`,
    [tenantId, readAt],
  );
  return new Date(rows[0]?.at ?? 0).getTime() + clock.now().getTime() - Date.now();
}

/** Waits until each of the tenants has one scheduler and one tick to come, and nobody else has any. */
async function waitForSchedulers(deployment: ClockedDeployment, tenants: readonly string[]): Promise<void> {
  const wanted = tenants.toSorted().join();
  let seen: unknown;
  await waitFor('one scheduler and one tick a tenant', async () => {
    const schedulers = (await deployment.schedulers()).map(({ tenantId }) => tenantId).toSorted();
    const ticks = (await deployment.pending()).filter(({ name }) => name === 'tick');
    seen = { schedulers, ticks };
    return (
      schedulers.join() === wanted &&
      ticks
        .map(({ tenantId }) => tenantId)
        .toSorted()
        .join() === wanted
    );
  }).catch((error: Error) => {
    throw new Error(`${error.message}; there was ${JSON.stringify(seen)}`);
  });
}

const PATTERNS: Record<number, string> = { 15: '0 0,15,30,45 * * * *', 60: '0 0 * * * *' };

/** Waits until the scheduler of a tenant whose starts contradicted each other, and its running interval, are as stored. */
async function waitForStored(deployment: ClockedDeployment, tenantId: string): Promise<void> {
  const { rows } = await deployment.pool.query<{ minutes: number; meters: number }>(
    'SELECT interval_minutes AS minutes, meter_count AS meters FROM ami_auto WHERE tenant_id = $1 AND enabled',
    [tenantId],
  );
  const { minutes, meters } = rows[0] as (typeof rows)[number];
  await waitFor(`${tenantId} as it was stored last, ${minutes} minutes, ${meters} meters`, async () => {
    const own = (await deployment.schedulers()).filter((scheduler) => scheduler.tenantId === tenantId);
    const step = minutes * 60_000;
    const running = new Date(Math.floor(deployment.clock.now().getTime() / step) * step).toISOString();
    const slot = (await deployment.slots(tenantId)).find(({ readAt }) => readAt === running);
    // In an hour that was published for a setting of a moment the other length begins at the next one.
    const { rows: taken } = await deployment.pool.query<{ minutes: number }>(
      `SELECT interval_minutes AS minutes FROM ami_ticks tick JOIN ami_publishes USING (publish_id)
       WHERE tick.tenant_id = $1 AND tick.read_at = $2`,
      [tenantId, running],
    );
    const isWhole = async () =>
      slot?.open === 0 && ((await deployment.reads(tenantId)).get(running) ?? 0) >= meters;
    const isSettled = taken[0]?.minutes === minutes ? await isWhole() : taken.length > 0;
    await sleep(200);
    return own.length === 1 && own[0]?.pattern === PATTERNS[minutes] && isSettled;
  });
}

/** The long form. */
export const ABOUT =
  'auto/start from five API processes at once, around a boundary, twenty times, on each queue backend';
export const OPTIONS = OWN_DEPLOYMENT_OPTIONS;
export const run = onOwnDeployments({ rounds: 20 }, async (deployment, rounds, say) => {
  const { intervals, wholeAfterMs } = await race(deployment, rounds, say);
  const sorted = wholeAfterMs.toSorted((a, b) => a - b);
  say(
    `${rounds} rounds: ${intervals} intervals, each published once and whole; after its boundary ${sorted[Math.floor(sorted.length / 2)]} ms (median), ${sorted.at(-1)} ms at most`,
  );
});

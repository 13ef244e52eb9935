import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_BACKGROUND_JOBS, MAX_QUEUE_DEPTH } from '../../src/contracts/limits.js';
import { type AutoTenant, createAutoTenant } from '../support/autoTenant.js';
import { describeOnBothBackends } from '../support/backends.js';

const HOURLY = ['H1', 'H2', 'H3', 'H4'];
const QUARTERLY = ['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7', 'Q8'];
const ALL = [...HOURLY, ...QUARTERLY];
const METERS = 500;
/** 50 jobs an interval: twelve tenants' are more than the queue takes. */
const BATCH_SIZE = 10;
const SAMPLE_MS = 20;

interface Publish {
  tenantId: string;
  slot: string;
  origin: string;
  background: boolean;
  batches: number;
  done: number;
}

/** What the automatic mode's bounds hold to while it works. */
interface Peaks {
  owed: number;
  owedInBackground: number;
  queued: number;
  /** Ticks that waited for room. */
  waiting: number;
}

/** Looks at ledger and queue all the time, until told to stop. */
function watchPeaks(auto: AutoTenant): () => Promise<Peaks> {
  const peaks: Peaks = { owed: 0, owedInBackground: 0, queued: 0, waiting: 0 };
  let over = false;
  const look = async (): Promise<void> => {
    const [ledger] = await auto.sql(
      `SELECT count(*)::integer AS owed, count(*) FILTER (WHERE is_background)::integer AS "owedInBackground",
         (SELECT count(*)::integer FROM ami_ticks WHERE publish_id IS NULL) AS waiting
       FROM ami_publish_batches WHERE state = 'pending'`,
    );
    const { waiting, delayed, active } = await auto.deployment.context.queue.counts();
    const seen = { ...ledger, queued: waiting + delayed + active } as Peaks;
    for (const key of Object.keys(peaks) as (keyof Peaks)[]) peaks[key] = Math.max(peaks[key], seen[key]);
  };
  const watching = (async () => {
    while (!over) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  })();
  return async () => {
    over = true;
    await watching;
    return peaks;
  };
}

describeOnBothBackends('twelve tenants at once', (backend) => {
  let auto: AutoTenant;
  let stopWatching: () => Promise<unknown> = async () => undefined;
  beforeEach(async () => {
    auto = await createAutoTenant(backend);
  });
  afterEach(async () => {
    await stopWatching();
    await auto.deployment.close();
  });

  const startAll = () =>
    Promise.all(
      ALL.map((tenantId) =>
        auto.start({
          tenantId,
          meterCount: METERS,
          batchSize: BATCH_SIZE,
          intervalMinutes: HOURLY.includes(tenantId) ? 60 : 15,
          catchUpIntervals: 2,
        }),
      ),
    );
  const allSettled = async (hourly: string[], quarterly: string[]) => {
    const wanted = (slots: string[]) => Object.fromEntries(slots.map((slot) => [slot, METERS]));
    for (const tenantId of HOURLY) await auto.settled(wanted(hourly), tenantId);
    for (const tenantId of QUARTERLY) await auto.settled(wanted(quarterly), tenantId);
  };
  const publishes = async (order: 'accepted' | 'finished') =>
    (await auto.sql(
      `SELECT publish.tenant_id AS "tenantId", to_char(read_at AT TIME ZONE 'UTC', 'HH24:MI') AS slot, origin,
         publish.is_background AS background, batch_count AS batches,
         count(*) FILTER (WHERE state = 'done')::integer AS done
       FROM ami_publishes publish JOIN ami_publish_batches USING (publish_id) GROUP BY publish_id
       ORDER BY ${order === 'accepted' ? 'accepted_at' : 'max(finished_at)'}`,
    )) as unknown as Publish[];
  const slotsOf = (all: Publish[], background: boolean) =>
    all.filter((publish) => publish.background === background).map(({ slot }) => slot);

  it('have every interval whole and published once, by age, within the bound of the queue', async () => {
    auto.runClock('2026-06-01T10:31:00Z');
    const stop = watchPeaks(auto);
    stopWatching = stop;
    for (const { status } of await startAll()) expect(status).toBe(200);
    await auto.deployment.startWorker();
    await allSettled(['09:00', '10:00'], ['10:15', '10:30']);

    const live = [...Array(4).fill('10:00'), ...Array(8).fill('10:30')];
    const past = [...Array(8).fill('10:15'), ...Array(4).fill('09:00')];
    for (const order of ['accepted', 'finished'] as const) {
      const started = await publishes(order);
      expect(slotsOf(started, false), 'the running ones, oldest first').toEqual(live);
      expect(slotsOf(started, true), 'those before, newest first').toEqual(past);
    }

    // The clock stands until every tick has come: after 10 s an interval is published without its tick.
    auto.setClock('2026-06-01T11:00:00.050Z');
    const slot = new Date('2026-06-01T11:00:00Z');
    await Promise.all(ALL.map((tenantId) => auto.automatic.tick(tenantId, slot)));
    auto.runClock('2026-06-01T11:00:00.050Z');
    await allSettled(['09:00', '10:00', '11:00'], ['10:15', '10:30', '10:45', '11:00']);

    const all = await publishes('accepted');
    expect(all.every(({ batches, done }) => batches === METERS / BATCH_SIZE && done === batches)).toBe(true);
    expect(all).toHaveLength(new Set(all.map((publish) => `${publish.tenantId} ${publish.slot}`)).size);
    const ticked = all.filter(({ origin }) => origin === 'tick');
    expect(ticked.map(({ tenantId, slot: at }) => `${tenantId} ${at}`).sort()).toEqual(
      ALL.map((tenantId) => `${tenantId} 11:00`).sort(),
    );

    const peaks = await stop();
    expect(peaks.waiting, 'some were refused at first').toBeGreaterThan(0);
    expect(peaks.owed).toBeGreaterThan(MAX_QUEUE_DEPTH - METERS / BATCH_SIZE);
    expect(peaks.owed).toBeLessThanOrEqual(MAX_QUEUE_DEPTH);
    expect(peaks.owedInBackground).toBeLessThanOrEqual(MAX_BACKGROUND_JOBS);
    // The two lanes are counted one after the other, between which a batch may be admitted to the second.
    expect(peaks.queued).toBeLessThanOrEqual(MAX_QUEUE_DEPTH + METERS / BATCH_SIZE);
  });
});

import { pino } from 'pino';
import seedrandom from 'seedrandom';
import { createDispatch } from '../../src/automatic/dispatch.js';
import type { IntervalPublisher, PublishOutcome } from '../../src/automatic/publishInterval.js';
import { FIRST_EMULATION } from '../../src/contracts/emulation.js';
import { type IntervalMinutes, MAX_CATCH_UP_INTERVALS, MAX_METER_COUNT } from '../../src/contracts/limits.js';
import { createModelDatabase, type ModelTenant } from './modelDatabase.js';
import { createModelQueue, type ModelPublish, type Written } from './modelQueue.js';

export const MINUTE_MS = 60_000;
const PASS_MS = 1_000;
/** A tick is handled so long after its boundary at most; all of them are due at the same instant. */
const TICK_DELAY_MS = 900;

export interface Scenario {
  tenants: number;
  /** Of those, how many publish by the hour. */
  hourly?: number;
  hours: number;
  catchUpIntervals?: number;
  /** Nothing runs from the one to the other, minutes after the start. */
  outage?: [from: number, to: number];
  /** Another tenant's history is filled all the time, 25,000 meters an interval. */
  backfill?: boolean;
}

export interface Simulated {
  /** In the order of their completion, those of the backfill apart. */
  written: Written[];
  backfilled: Written[];
  /** Intervals that nothing was accepted for and that catch-up does not look at any more. */
  forgotten: { tenantId: string; readAt: number }[];
  deepest: number;
  start: number;
}

const START = Date.parse('2026-03-02T00:00:00Z');
const BATCH_SIZE = 500;
/** Of every publish here. */
const JOBS = MAX_METER_COUNT / BATCH_SIZE;
const HISTORY = {
  tenantId: 'HISTORY',
  meters: MAX_METER_COUNT,
  batchSize: BATCH_SIZE,
  lane: 'background',
} as const;

/**
 * Days of a deployment on a virtual clock. The dispatch is the product's own, passes and ticks; what it calls is a model:
 * Postgres (modelDatabase.ts), and queue and pace (modelQueue.ts). A pass comes every one to two seconds, and the ticks
 * of all tenants within the same one, in any order. Passes that could not have anything admitted are left out, nine of
 * ten when it is busy.
 */
export async function simulate(scenario: Scenario): Promise<Simulated> {
  const { hours, outage, backfill = false } = scenario;
  const random = seedrandom(JSON.stringify(scenario));
  const tenants = tenantsOf(scenario);
  const result: Simulated = { written: [], backfilled: [], forgotten: [], deepest: 0, start: START };
  const queue = createModelQueue((publish) =>
    (publish.tenantId === HISTORY.tenantId ? result.backfilled : result.written).push(publish),
  );
  let clock = START;
  const now = (): number => clock;

  const admit = (publish: Omit<ModelPublish, 'acceptedAt'>) => queue.admit({ ...publish, acceptedAt: clock });
  const publisher: IntervalPublisher = {
    async publish({ tenantId, meterCount, batchSize }, { readAt }, { lane }): Promise<PublishOutcome> {
      const tenant = tenants.get(tenantId) as ModelTenant;
      const slot = { tenantId, readAt: readAt.getTime(), lane, batchSize, meters: meterCount as number };
      if (!admit(slot)) return 'refused';
      tenant.open.delete(slot.readAt);
      tenant.lastServedAt = clock;
      return 'published';
    },
  };
  const supplyBackground = async () => {
    while (backfill && admit({ ...HISTORY, readAt: START }));
  };
  const database = createModelDatabase(tenants, now);
  const log = pino({ level: 'silent' });
  const dispatch = createDispatch({ database, publisher, supplyBackground, now: () => new Date(clock), log });

  const end = START + hours * 60 * MINUTE_MS;
  const [downFrom, downTo] = (outage ?? [0, 0]).map((minutes) => START + minutes * MINUTE_MS) as [
    number,
    number,
  ];
  const isDown = (at: number): boolean => at >= downFrom && at < downTo;
  let boundary = START;
  let nextPass = START;
  while (clock < end) {
    const tickAt = boundary + TICK_DELAY_MS * random();
    const next = Math.min(tickAt, nextPass);
    if (!isDown(clock)) queue.runUntil(clock, isDown(next) ? Math.max(downFrom, clock) : next);
    clock = next;
    for (const tenant of tenants.values()) open(tenant, clock, result);
    if (next === nextPass) nextPass += PASS_MS * (1 + random());
    if (isDown(clock)) {
      if (next === tickAt) boundary += 15 * MINUTE_MS;
    } else if (next === tickAt) {
      const slot = boundary;
      const due = shuffled([...tenants.values()], random).filter(({ open: slots }) => slots.has(slot));
      await Promise.all(due.map(({ config }) => dispatch.tick(config.tenantId, new Date(slot))));
      boundary += 15 * MINUTE_MS;
    } else if (queue.room() >= JOBS && (backfill || isAnyOpen(tenants))) {
      await dispatch.pass();
    }
  }
  return { ...result, deepest: queue.deepest() };
}

function tenantsOf({ tenants, hourly = 0, catchUpIntervals = 4 }: Scenario) {
  const startedAt = new Date(START - MINUTE_MS);
  return new Map(
    Array.from({ length: tenants }, (_, index): [string, ModelTenant] => {
      const intervalMinutes: IntervalMinutes = index < hourly ? 60 : 15;
      const config = {
        tenantId: `T${String(index + 1).padStart(3, '0')}`,
        enabled: true,
        intervalMinutes,
        batchSize: BATCH_SIZE,
        meterCount: MAX_METER_COUNT,
        feederCount: 25,
        fleet: 'synthetic',
        seed: null,
        timeZone: 'UTC',
        climate: 'us',
        emulation: FIRST_EMULATION,
        catchUpIntervals,
        startedAt,
        changedAt: startedAt,
        replay: null,
        replayAsked: null,
      } as const;
      return [
        config.tenantId,
        { config, lastServedAt: null, open: new Map(), owed: new Set(), seenUntil: START },
      ];
    }),
  );
}

/** Takes the intervals in that have begun, and those out that catch-up does not look at any more. */
function open(tenant: ModelTenant, at: number, { forgotten }: Simulated): void {
  const { tenantId, intervalMinutes, catchUpIntervals } = tenant.config;
  const step = intervalMinutes * MINUTE_MS;
  for (; tenant.seenUntil <= at; tenant.seenUntil += step) tenant.open.set(tenant.seenUntil, null);
  const first = tenant.seenUntil - catchUpIntervals * step;
  const earliest = tenant.seenUntil - MAX_CATCH_UP_INTERVALS * step;
  for (const readAt of tenant.open.keys()) {
    if (readAt >= (tenant.owed.has(readAt) ? earliest : first)) continue;
    tenant.open.delete(readAt);
    forgotten.push({ tenantId, readAt });
  }
}

function isAnyOpen(tenants: ReadonlyMap<string, ModelTenant>): boolean {
  return [...tenants.values()].some(({ open: slots }) => slots.size > 0);
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

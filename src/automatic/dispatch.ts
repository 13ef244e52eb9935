import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { intervalEnd } from '../contracts/intervals.js';
import type { Database } from '../db/db.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import { sharedRuns } from '../timing/sharedRuns.js';
import { type AutoConfig, advanceReplay, enabledConfigs, endReplay, findAutoConfig } from './autoConfig.js';
import { claimInterval, findClaim, noteOwed } from './claims.js';
import { type WaitingInterval, waitingIntervals } from './owedIntervals.js';
import type { IntervalPublisher, PublishOutcome } from './publishInterval.js';
import { replayDue } from './replayClock.js';
import { newestFirst, oldestFirst } from './serviceOrder.js';
import { runningOf, windowOf } from './window.js';

interface DispatchOptions {
  database: Database;
  publisher: IntervalPublisher;
  /** Admits what late deliveries, imports and backfills want next, in this order, as far as there is room. */
  supplyBackground: () => Promise<unknown>;
  /** Days of reads that are kept; undefined keeps all. */
  readsRetentionDays?: number | undefined;
  now: () => Date;
  log: Logger;
}

/**
 * How long the scheduler's own tick is waited for before its interval is published without it: a tick comes within
 * tens of ms of its boundary, and 25,000 reads take 10 s after that.
 */
const TICK_GRACE_MS = 10_000;
/** How far the clock of the machine that handles a tick may be behind that of the machine that made the tick due. */
const CLOCK_SKEW_MS = 60_000;
/** A pass ends after this long and leaves the rest to the next one, since a tick may have to wait for it. */
const PASS_LIMIT_MS = 1_500;

/**
 * Publishes whatever the automatic mode owes, in order: the intervals under way, oldest first; then what the last
 * intervals lack, newest first; then replays; then backfills. Each stops where the queue has no room, and the next pass
 * goes on. One process at a time makes a pass.
 */
export function createDispatch(options: DispatchOptions) {
  const { database, publisher, supplyBackground, readsRetentionDays, now, log } = options;
  const pass = async (at: Date): Promise<void> => {
    const until = performance.now() + PASS_LIMIT_MS;
    const inTime = (): boolean => performance.now() < until;
    const configs = await enabledConfigs(database);
    const steady = new Map(
      configs.filter(({ replay }) => !replay).map((config) => [config.tenantId, config]),
    );
    const windows = [...steady.values()].map((config) => windowOf(config, at, readsRetentionDays));
    const owed = await waitingIntervals(database, windows);
    const isRunning = ({ tenantId, readAt }: WaitingInterval): boolean =>
      readAt.getTime() === runningOf(steady.get(tenantId) as AutoConfig, at).getTime();
    const unnoted = owed.filter(({ isNoted }) => !isNoted);
    await noteOwed(database, unnoted);
    const waiting = owed.filter(({ nextTryAt }) => nextTryAt === null || nextTryAt <= at);

    const publishWaiting = (interval: WaitingInterval): Promise<PublishOutcome> => {
      const config = steady.get(interval.tenantId) as AutoConfig;
      const origin = interval.claimedAt && isRunning(interval) ? 'tick' : 'catch-up';
      const lane = isRunning(interval) ? 'live' : 'background';
      return publisher.publish(
        config,
        { ...interval, takenBy: null },
        { origin, lane, requestId: randomUUID() },
      );
    };
    const publishAll = async (intervals: readonly WaitingInterval[]): Promise<boolean> => {
      for (const interval of intervals)
        if (!inTime() || (await publishWaiting(interval)) === 'refused') return false;
      return true;
    };
    const due = waiting.filter(
      (interval) =>
        isRunning(interval) && !isLeftToScheduler(interval, steady.get(interval.tenantId) as AutoConfig, at),
    );
    if (!(await publishAll(oldestFirst(due)))) return;
    if (!(await publishAll(newestFirst(waiting.filter((interval) => !isRunning(interval)))))) return;
    for (const config of leastAdvancedFirst(configs)) if (!(await replayOn(config, at, inTime))) return;
    await supplyBackground();
  };

  /** Publishes what a replay is due; answers whether the queue has room for more. */
  const replayOn = async (config: AutoConfig, at: Date, inTime: () => boolean): Promise<boolean> => {
    const { tenantId, intervalMinutes, replay } = config;
    if (!replay) return true;
    const due = replayDue(replay, intervalMinutes, at);
    for (let from = replay.next; ; ) {
      if (from > runningOf(config, at)) {
        await endReplay(database, tenantId, from, at);
        log.info({ tenantId, next: from }, 'replay has caught up with the wall clock');
        return true;
      }
      if (from > due) return true;
      const [readAt, next] = [from, intervalEnd(from, intervalMinutes)];
      const claim = await findClaim(database, tenantId, readAt);
      if (claim?.nextTryAt && claim.nextTryAt > at) return true;
      const outcome = await publisher.publish(
        config,
        { readAt, takenBy: claim?.publishId ?? null, attempts: claim?.attempts ?? 0 },
        { origin: 'catch-up', lane: 'background', requestId: randomUUID() },
        (client) => advanceReplay(client, tenantId, readAt, next),
      );
      if (outcome !== 'published' && outcome !== 'whole') return outcome !== 'refused';
      if (!inTime()) return false;
      from = next;
    }
  };

  /**
   * The latest instant that any caller of a shared pass has seen. A value far ahead means that a clock was set back.
   */
  let latest = 0;
  const passes = sharedRuns(() => oneProcessAtATime(database, 'dispatch', () => pass(new Date(latest))));
  const passAt = (at: Date): Promise<void> => {
    latest = latest - at.getTime() < CLOCK_SKEW_MS ? Math.max(at.getTime(), latest) : at.getTime();
    return passes('');
  };

  return {
    /** Makes one pass, unless another process is making one. */
    pass: (): Promise<void> => passAt(now()),

    /**
     * A tenant's scheduler says at a boundary that the interval that begins there is to be published. A tick for an
     * older interval, from before an outage, is left to catch-up.
     */
    async tick(tenantId: string, slot: Date): Promise<void> {
      const here = now();
      const isAhead = slot > here && slot.getTime() - here.getTime() < CLOCK_SKEW_MS;
      const at = isAhead ? slot : here;
      const config = await findAutoConfig(database, tenantId);
      if (!config?.enabled) return;
      if (!config.replay && slot.getTime() === runningOf(config, at).getTime())
        await claimInterval(database, tenantId, slot);
      await passAt(at);
    },
  };
}

export type Dispatch = ReturnType<typeof createDispatch>;

/** Whether the scheduler's tick is still to be expected for an interval that has just begun. */
function isLeftToScheduler({ claimedAt, readAt }: WaitingInterval, config: AutoConfig, at: Date): boolean {
  return claimedAt === null && config.changedAt <= readAt && at.getTime() - readAt.getTime() < TICK_GRACE_MS;
}

function leastAdvancedFirst(configs: readonly AutoConfig[]): AutoConfig[] {
  return configs
    .filter(({ replay }) => replay !== null)
    .toSorted((a, b) => (a.replay?.next.getTime() ?? 0) - (b.replay?.next.getTime() ?? 0));
}

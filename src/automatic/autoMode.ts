import type { AutoStartRequest } from '../contracts/autoRequest.js';
import { FIRST_EMULATION, shownEmulation } from '../contracts/emulation.js';
import { DependencyUnavailableError } from '../contracts/errors.js';
import { requirePublishable } from '../contracts/instants.js';
import { getAlignedIntervalTimestamp, intervalEnd, MS_PER_DAY } from '../contracts/intervals.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { isPublishedOtherwise } from '../ledger/intervalLedger.js';
import { completedInLastHour } from '../ledger/publishLedger.js';
import { pacedRate } from '../pacing/pace.js';
import type { PublishPlanner } from '../publishing/publishPlanner.js';
import { plannedEmulation } from '../publishing/runSoFar.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { tenantTotals } from '../reads/tenantTotals.js';
import {
  type AutoConfig,
  disableAuto,
  enabledConfigs,
  findAutoConfig,
  saveAutoConfig,
} from './autoConfig.js';
import { dropWaiting, findClaim, releaseIntervals } from './claims.js';
import { missedIntervals, type WaitingInterval, waitingIntervals } from './owedIntervals.js';
import { isSameConfig, plannedConfig } from './plannedConfig.js';
import { replayInstant } from './replayClock.js';
import { withTenantLock } from './tenantLock.js';
import { windowOf } from './window.js';

interface AutoModeOptions {
  database: Database;
  queue: AmiQueue;
  ticks: TickQueue;
  planner: PublishPlanner;
  maxReadsPerSecond: number;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** How far back missed intervals are counted: not as far as the ledger, which tells of them, is kept at the least. */
const MISSED_WITHIN_MS = 6 * MS_PER_DAY;

/** Starting, stopping and looking at what publishes every interval of a tenant by itself. */
export function createAutoModeService(options: AutoModeOptions) {
  const { database, queue, ticks, planner, readsRetentionDays, now } = options;
  const rate = pacedRate(options.maxReadsPerSecond);

  /** Goes on without the queue: the configuration counts, and the watchdog puts the scheduler right. */
  const despiteQueue = async (work: () => Promise<unknown>): Promise<string[]> => {
    try {
      await work();
      return [];
    } catch (error) {
      if (!(error instanceof DependencyUnavailableError)) throw error;
      return ['The queue does not answer: the scheduler follows within 30 seconds of its return.'];
    }
  };

  return {
    /**
     * Stores how a tenant is published and makes its one scheduler; a worker does the rest. The same start again
     * changes nothing.
     *
     * @throws ApiError 400 for what cannot be published: a fleet that does not fit, a replay from the future.
     */
    async start(request: AutoStartRequest) {
      const at = now();
      const { tenantId, intervalMinutes, replay } = request;
      if (replay) requirePublishable('replay.from', replay.from, intervalMinutes, at, readsRetentionDays);
      const others = (await enabledConfigs(database).catch(rethrowUnavailable)).filter(
        (config) => config.tenantId !== tenantId,
      );
      const emulation = await plannedEmulation(database, tenantId, request);
      const { config: planned, safetyWarnings } = await plannedConfig(
        request,
        emulation,
        planner,
        others,
        rate,
        at,
      );
      safetyWarnings.push(...(await otherLengthWarnings(planned, at)));

      const config = await withTenantLock(database, tenantId, async (client) => {
        const before = await findAutoConfig(client, tenantId);
        // The queue first, since it may take its time: whoever publishes waits for the row from its writing to the
        // commit.
        safetyWarnings.push(...(await despiteQueue(() => ticks.ensure({ tenantId, intervalMinutes }, at))));
        if (before?.enabled && isSameConfig(before, planned)) return before;
        const startedAt = before?.enabled ? before.startedAt : at;
        const changed = { ...planned, startedAt, changedAt: at };
        await saveAutoConfig(client, changed);
        await releaseIntervals(client, windowOf(changed, at, readsRetentionDays));
        return changed;
      }).catch(rethrowUnavailable);
      return {
        mode: 'auto' as const,
        tenantId,
        nextRunAt: nextRunOf(config, at),
        config: configAnswer(config),
        safetyWarnings,
      };
    },

    /**
     * Ends the automatic mode and its scheduler; what was accepted before is still written. Safe when it is not
     * running.
     */
    async stop(tenantId: string) {
      const at = now();
      const safetyWarnings: string[] = [];
      const wasEnabled = await withTenantLock(database, tenantId, async (client) => {
        safetyWarnings.push(...(await despiteQueue(() => ticks.remove(tenantId))));
        const stopped = await disableAuto(client, tenantId, at);
        await dropWaiting(client, tenantId);
        return stopped;
      }).catch(rethrowUnavailable);
      return { tenantId, wasEnabled, safetyWarnings };
    },

    /** How the automatic mode is set, how far it has come, and what it could not do. */
    async status(tenantId: string) {
      const at = now();
      const [config, totals, counts, completed] = await Promise.all([
        findAutoConfig(database, tenantId),
        tenantTotals(database, tenantId),
        queue.counts(),
        completedInLastHour(database, tenantId),
      ]).catch(rethrowUnavailable);
      const enabled = config?.enabled ?? false;
      const running = getAlignedIntervalTimestamp(config?.intervalMinutes ?? 15, at);
      return {
        tenantId,
        enabled,
        config: config ? configAnswer(config) : null,
        lastAlignedInterval: running,
        latestReadAt: totals.latestReadAt,
        nextRunAt: config && enabled ? nextRunOf(config, at) : null,
        queue: { ...counts, completed },
        ...(config && enabled ? await progress(config, at) : { waiting: [], missed: null, replay: null }),
      };
    },
  };

  /** Reads of quarter hours and of hours must not cover the same time: it would count twice. */
  async function otherLengthWarnings({ tenantId, intervalMinutes }: AutoConfig, at: Date): Promise<string[]> {
    const hour = getAlignedIntervalTimestamp(60, at);
    if (!(await isPublishedOtherwise(database, tenantId, hour, intervalMinutes).catch(rethrowUnavailable)))
      return [];
    const next = intervalEnd(hour, 60).toISOString();
    return [
      `The hour from ${hour.toISOString()} on has been published in intervals of ${intervalMinutes === 15 ? 60 : 15} minutes: those of ${intervalMinutes} begin at ${next}.`,
    ];
  }

  async function progress(config: AutoConfig, at: Date) {
    const { replay } = config;
    if (replay) {
      const { from, speed, next } = replay;
      const claim = await findClaim(database, config.tenantId, next).catch(rethrowUnavailable);
      return {
        waiting: claim?.failure ? [waitingAnswer({ ...claim, readAt: next })] : [],
        missed: null,
        replay: { from, speed, clock: replayInstant(replay, at), nextInterval: next },
      };
    }
    const window = windowOf(config, at, readsRetentionDays);
    const since = Math.max(
      intervalEnd(
        getAlignedIntervalTimestamp(config.intervalMinutes, config.startedAt),
        config.intervalMinutes,
      ).getTime(),
      window.running.getTime() - MISSED_WITHIN_MS,
    );
    const [waiting, missed] = await Promise.all([
      waitingIntervals(database, [window]),
      missedIntervals(database, window, new Date(since)),
    ]).catch(rethrowUnavailable);
    return {
      waiting: waiting.map(waitingAnswer),
      missed: missed.intervals === 0 ? null : missed,
      replay: null,
    };
  }
}

export type AutoModeService = ReturnType<typeof createAutoModeService>;

function waitingAnswer({
  readAt,
  claimedAt,
  failure,
  nextTryAt,
}: Pick<WaitingInterval, 'readAt' | 'claimedAt' | 'failure' | 'nextTryAt'>) {
  return { readAt, claimedAt, failure, nextTryAt };
}

/** The next boundary; a replay publishes whenever its clock says so. */
function nextRunOf({ intervalMinutes, replay }: AutoConfig, at: Date): Date {
  return replay ? at : intervalEnd(getAlignedIntervalTimestamp(intervalMinutes, at), intervalMinutes);
}

function configAnswer(config: AutoConfig) {
  const { replay } = config;
  return {
    tenantId: config.tenantId,
    meterCount: config.meterCount,
    feederCount: config.feederCount,
    batchSize: config.batchSize,
    intervalMinutes: config.intervalMinutes,
    catchUpIntervals: config.catchUpIntervals,
    fleet: config.fleet,
    ...(config.seed === null ? {} : { seed: config.seed }),
    timeZone: config.timeZone,
    climate: config.climate,
    ...shownEmulation(config.emulation ?? FIRST_EMULATION),
    ...(replay ? { replay: { from: replay.from, speed: replay.speed } } : {}),
    startedAt: config.startedAt,
  };
}

import type { AutoStartRequest } from '../contracts/autoRequest.js';
import { wholeFleet } from '../contracts/defaults.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import { MAX_CATCH_UP_INTERVALS, MAX_METER_COUNT } from '../contracts/limits.js';
import { capper, TICK_JOBS } from '../publishing/plan.js';
import type { PublishPlanner } from '../publishing/publishPlanner.js';
import type { AutoConfig } from './autoConfig.js';
import { averageReadsPerSecond, fastestReplay } from './replayClock.js';

/**
 * What a request to start means: its defaults, held to the caps, with a sentence for each that was applied, and for what
 * the deployment cannot carry.
 *
 * @param others the tenants that are enabled beside it.
 * @param readsPerSecond what the deployment keeps to.
 * @throws ApiError 400 when a registry has nothing to publish.
 */
export async function plannedConfig(
  request: AutoStartRequest,
  planner: PublishPlanner,
  others: readonly AutoConfig[],
  readsPerSecond: number,
  at: Date,
): Promise<{ config: AutoConfig; safetyWarnings: string[] }> {
  const isRegistry = request.fleet === 'registry';
  const whole = wholeFleet(request.fleet);
  const settings: FleetSettings = {
    tenantId: request.tenantId,
    intervalMinutes: request.intervalMinutes,
    batchSize: request.batchSize,
    meterCount: request.meterCount ?? whole.meterCount,
    feederCount: request.feederCount ?? whole.feederCount,
    fleet: request.fleet,
    seed: request.seed ?? null,
    timeZone: request.timeZone,
    climate: request.climate,
  };
  const plan = await planner.preview(settings, TICK_JOBS);
  const safetyWarnings = [...plan.safetyWarnings];
  const catchUpIntervals = Math.min(request.catchUpIntervals, MAX_CATCH_UP_INTERVALS);
  if (catchUpIntervals < request.catchUpIntervals)
    capper(safetyWarnings)(
      'catchUpIntervals',
      request.catchUpIntervals,
      catchUpIntervals,
      `catch-up looks back over at most ${MAX_CATCH_UP_INTERVALS} intervals`,
    );
  const load: Load = {
    meters: plan.fleet.meterCount,
    intervalMinutes: settings.intervalMinutes,
    readsPerSecond,
    busy: others.reduce(
      (sum, { meterCount, intervalMinutes, replay }) =>
        sum + averageReadsPerSecond(meterCount ?? MAX_METER_COUNT, intervalMinutes) * (replay?.speed ?? 1),
      0,
    ),
  };
  safetyWarnings.push(...overload(load, others.length));
  return {
    config: {
      ...settings,
      batchSize: plan.batchSize,
      // Of a registry what is asked for, since it may grow.
      meterCount: isRegistry ? capped(settings.meterCount) : plan.fleet.meterCount,
      feederCount: isRegistry ? null : plan.fleet.feederCount,
      enabled: true,
      catchUpIntervals,
      startedAt: at,
      changedAt: at,
      replay: request.replay
        ? {
            from: request.replay.from,
            anchor: at,
            speed: heldSpeed(request.replay.speed, load, safetyWarnings),
            next: request.replay.from,
          }
        : null,
      replayAsked: request.replay ?? null,
    },
    safetyWarnings,
  };
}

/** Whether a start would change nothing; a replay is the same when the same was asked for, also when it is over. */
export function isSameConfig(before: AutoConfig, after: AutoConfig): boolean {
  const essence = ({ enabled, startedAt, changedAt, replay, ...settings }: AutoConfig): string =>
    JSON.stringify(Object.entries(settings).sort());
  return essence(before) === essence(after);
}

interface Load {
  meters: number;
  intervalMinutes: AutoConfig['intervalMinutes'];
  /** What the deployment keeps to. */
  readsPerSecond: number;
  /** What other tenants ask for on average, reads/s. */
  busy: number;
}

function overload({ meters, intervalMinutes, readsPerSecond, busy }: Load, others: number): string[] {
  const asked = busy + averageReadsPerSecond(meters, intervalMinutes);
  if (asked <= readsPerSecond) return [];
  return [
    `This tenant and the ${others} others that run ask for ${shown(asked)} reads a second, and the deployment writes ${shown(readsPerSecond)}: intervals will be late, and some left out.`,
  ];
}

/** The asked speed, or the fastest there is room for. */
function heldSpeed(asked: number, load: Load, safetyWarnings: string[]): number {
  const { meters, intervalMinutes, readsPerSecond, busy } = load;
  const fastest = fastestReplay(meters, intervalMinutes, readsPerSecond, busy);
  if (asked <= fastest) return asked;
  const wanted = averageReadsPerSecond(meters, intervalMinutes) * asked;
  const others = busy > 0 ? `, of which other tenants take ${shown(busy)}` : '';
  return capper(safetyWarnings)(
    'replay.speed',
    asked,
    fastest,
    `it asks for ${shown(wanted)} reads a second, and the deployment writes ${shown(readsPerSecond)}${others}`,
  );
}

function capped(meterCount: number | null): number | null {
  return meterCount === null ? null : Math.min(meterCount, MAX_METER_COUNT);
}

function shown(perSecond: number): string {
  return perSecond.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

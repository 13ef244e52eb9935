import type { AutoStartRequest } from '../contracts/autoRequest.js';
import { wholeFleet } from '../contracts/defaults.js';
import type { Emulation } from '../contracts/emulation.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import { MAX_CATCH_UP_INTERVALS, MAX_METER_COUNT } from '../contracts/limits.js';
import { DEFAULT_CLIMATE } from '../contracts/place.js';
import { capper, type PublishPlan, TICK_JOBS } from '../publishing/plan.js';
import type { PublishPlanner } from '../publishing/publishPlanner.js';
import { zoneOf } from '../publishing/runSoFar.js';
import type { AutoConfig, ReplayAsked } from './autoConfig.js';
import { averageReadsPerSecond, fastestReplay, type Replay } from './replayClock.js';

/**
 * What a request to start means: its defaults, held to the caps, with a sentence for each that was applied, and for what
 * the deployment cannot carry.
 *
 * @param emulation what its reads are made by.
 * @param others the tenants that are enabled beside it.
 * @param readsPerSecond what the deployment keeps to.
 * @throws ApiError 400 when a registry has nothing to publish.
 */
export async function plannedConfig(
  request: AutoStartRequest,
  emulation: Emulation,
  planner: PublishPlanner,
  others: readonly AutoConfig[],
  readsPerSecond: number,
  at: Date,
): Promise<{ config: AutoConfig; safetyWarnings: string[] }> {
  const settings = settingsOf(request, emulation);
  const plan = await planner.preview(settings, TICK_JOBS);
  const safetyWarnings = [...plan.safetyWarnings];
  const catchUpIntervals = heldCatchUp(request.catchUpIntervals, safetyWarnings);
  const load: Load = {
    meters: plan.fleet.meterCount,
    intervalMinutes: settings.intervalMinutes,
    readsPerSecond,
    busy: others.reduce((sum, other) => sum + askedReadsPerSecond(other), 0),
  };
  safetyWarnings.push(...overload(load, others.length));
  const config: AutoConfig = {
    ...heldToPlan(settings, plan),
    enabled: true,
    catchUpIntervals,
    startedAt: at,
    changedAt: at,
    replay: request.replay ? plannedReplay(request.replay, at, load, safetyWarnings) : null,
    replayAsked: request.replay ?? null,
  };
  return { config, safetyWarnings };
}

function settingsOf(request: AutoStartRequest, emulation: Emulation): FleetSettings {
  const whole = wholeFleet(request.fleet);
  return {
    tenantId: request.tenantId,
    intervalMinutes: request.intervalMinutes,
    batchSize: request.batchSize,
    meterCount: request.meterCount ?? whole.meterCount,
    feederCount: request.feederCount ?? whole.feederCount,
    fleet: request.fleet,
    seed: request.seed ?? null,
    timeZone: request.timeZone ?? zoneOf(emulation),
    climate: request.climate ?? DEFAULT_CLIMATE,
    emulation,
  };
}

/** What was asked for of a registry stays as it was asked for, since the registry may grow. */
function heldToPlan(settings: FleetSettings, { fleet, batchSize }: PublishPlan): FleetSettings {
  const isRegistry = settings.fleet === 'registry';
  return {
    ...settings,
    batchSize,
    meterCount: isRegistry ? capped(settings.meterCount) : fleet.meterCount,
    feederCount: isRegistry ? null : fleet.feederCount,
  };
}

function heldCatchUp(asked: number, safetyWarnings: string[]): number {
  if (asked <= MAX_CATCH_UP_INTERVALS) return asked;
  const why = `catch-up looks back over at most ${MAX_CATCH_UP_INTERVALS} intervals`;
  return capper(safetyWarnings)('catchUpIntervals', asked, MAX_CATCH_UP_INTERVALS, why);
}

function plannedReplay(asked: ReplayAsked, at: Date, load: Load, safetyWarnings: string[]): Replay {
  const { from } = asked;
  return { from, anchor: at, speed: heldSpeed(asked.speed, load, safetyWarnings), next: from };
}

/** What an enabled tenant asks for on average, as fast as it is replayed. */
function askedReadsPerSecond({ meterCount, intervalMinutes, replay }: AutoConfig): number {
  return averageReadsPerSecond(meterCount ?? MAX_METER_COUNT, intervalMinutes) * (replay?.speed ?? 1);
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

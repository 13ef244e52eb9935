/**
 * Room: backfill. Promises: the intervals of a span are filled in where they are missing, newest first, in what
 * live work leaves free, across restarts, until done or cancelled.
 */

import { randomUUID } from 'node:crypto';
import { findAutoConfig } from '../automatic/autoConfig.js';
import {
  type BackfillRequest,
  type BackfillSpan,
  requireBackfillSpan,
} from '../contracts/backfillRequest.js';
import { DEFAULT_BATCH_SIZE, wholeFleet } from '../contracts/defaults.js';
import { type Emulation, FIRST_EMULATION, shownEmulation } from '../contracts/emulation.js';
import { ApiError } from '../contracts/errors.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import { getAlignedIntervalTimestamp, MS_PER_DAY, MS_PER_MINUTE } from '../contracts/intervals.js';
import { DEFAULT_CLIMATE } from '../contracts/place.js';
import { type Database, rethrowUnavailable, withTransaction } from '../db/db.js';
import { pacedRate } from '../pacing/pace.js';
import { estimateRuntimeSeconds, type PublishPlan, TICK_JOBS } from '../publishing/plan.js';
import type { PublishPlanner } from '../publishing/publishPlanner.js';
import { plannedEmulation, zoneOf } from '../publishing/runSoFar.js';
import { coveringBackfill, insertBackfill, lockBackfills } from './creation.js';
import { cancelBackfill } from './cursor.js';
import {
  activeBackfillIds,
  backfillProgress,
  listBackfills,
  settleBackfill,
  unsettledBackfills,
} from './progress.js';
import { type BackfillAnswer, backfillAnswer, intervalsOf } from './progressAnswer.js';

/** A command may also ask in days or intervals: for a span that ends at the latest boundary, or at `to`. */
export interface BackfillWanted extends Omit<BackfillRequest, 'from'> {
  from: Date | { daysBack: number } | { intervalsBack: number };
}

interface BackfillOptions {
  database: Database;
  planner: PublishPlanner;
  maxReadsPerSecond: number;
  readsRetentionDays: number | undefined;
  now: () => Date;
}

/** A tenant has few; the latest are of interest. */
const LISTED = 50;

/** Backfills are asked for, watched and cancelled here; the worker's supplier (`supplier.ts`) fills them. */
export function createBackfillService(options: BackfillOptions) {
  const { database, planner, readsRetentionDays, now } = options;
  const rate = pacedRate(options.maxReadsPerSecond);

  const find = async (backfillId: string): Promise<BackfillAnswer | undefined> => {
    const found = await backfillProgress(database, backfillId).catch(rethrowUnavailable);
    return found && backfillAnswer(found, rate);
  };

  const autoConfig = (tenantId: string) => findAutoConfig(database, tenantId).catch(rethrowUnavailable);

  /** @throws ApiError 400 for a span that cannot be filled. */
  const spanOf = (wanted: BackfillWanted, { intervalMinutes }: FleetSettings): BackfillSpan => {
    const at = now();
    const boundary = getAlignedIntervalTimestamp(intervalMinutes, at);
    const to = wanted.to ?? boundary;
    const from = startOf(wanted.from, to, intervalMinutes);
    const span = { from, to };
    requireBackfillSpan(span, intervalMinutes, boundary, at, readsRetentionDays);
    return span;
  };

  /** A backfill that is written in full must not be found as one under way. */
  const settle = async (): Promise<void> => {
    for (const backfillId of await unsettledBackfills(database)) await settleBackfill(database, backfillId);
  };

  /**
   * The backfill under way that covers the span, or a new one: decided under the tenant's lock, however many ask at
   * once.
   */
  const accept = (settings: FleetSettings, span: BackfillSpan, plan: PublishPlan, requestId: string) =>
    withTransaction(database, async (client) => {
      await lockBackfills(client, settings.tenantId);
      const found = await coveringBackfill(client, { ...settings, ...span });
      if (found !== undefined) return { backfillId: found, existing: true };
      const backfillId = randomUUID();
      const { fleet, batchCount } = plan;
      const interval = { intervalMeters: fleet.meterCount, intervalBatches: batchCount };
      await insertBackfill(client, { ...settings, ...span, ...interval, backfillId, requestId });
      return { backfillId, existing: false };
    });

  const create = async (request: BackfillWanted, requestId: string) => {
    const auto = await autoConfig(request.tenantId);
    const emulation = await plannedEmulation(database, request.tenantId, {
      ...automatic(auto?.emulation),
      ...request,
    });
    const asked = settingsOf(request, emulation, auto);
    const span = spanOf(request, asked);
    const plan = await planner.preview(asked, TICK_JOBS);
    const settings = heldToCaps(asked, plan);
    const { backfillId, existing } = await settle()
      .then(() => accept(settings, span, plan, requestId))
      .catch(rethrowUnavailable);
    const progress = existing ? await find(backfillId) : undefined;
    const { from, to } = progress ?? span;
    const intervals = intervalsOf(from, to, settings.intervalMinutes);
    const computedMeters = progress?.meterCount ?? plan.fleet.meterCount;
    return {
      backfillId,
      tenantId: settings.tenantId,
      from,
      to,
      intervals,
      computedMeters,
      computedBatches: progress?.batches.total ?? intervals * plan.batchCount,
      batchSize: plan.batchSize,
      estimatedRuntimeSeconds: progress
        ? (progress.estimatedSecondsLeft ?? 0)
        : estimateRuntimeSeconds(intervals * computedMeters, rate),
      existing,
      safetyWarnings: plan.safetyWarnings,
    };
  };

  return {
    /**
     * Accepts a backfill, or answers with the one under way that does it all (`existing`).
     *
     * @throws ApiError 400 for a span or a fleet that cannot be filled.
     */
    create,

    /** How far a backfill is, in the form of a publish's progress; undefined when there is no such one. */
    find,

    /** A tenant's backfills, the latest first. */
    async list(tenantId: string) {
      const found = await listBackfills(database, tenantId, LISTED).catch(rethrowUnavailable);
      return { tenantId, backfills: found.map((backfill) => backfillAnswer(backfill, rate)) };
    },

    /**
     * Ends a backfill after the interval that it has begun. A backfill that is over stays as it is.
     *
     * @throws ApiError 404 when there is no such one.
     */
    async cancel(backfillId: string): Promise<BackfillAnswer> {
      await settleBackfill(database, backfillId)
        .then(() => cancelBackfill(database, backfillId))
        .catch(rethrowUnavailable);
      const found = await find(backfillId);
      if (found) return found;
      throw new ApiError(404, 'not_found', `backfillId ${backfillId} is not known: no backfill has it.`);
    },

    /** Ids of a tenant's backfills under way. */
    active: (tenantId: string) => activeBackfillIds(database, tenantId).catch(rethrowUnavailable),
  };
}

function startOf(from: BackfillWanted['from'], to: Date, intervalMinutes: number): Date {
  if (from instanceof Date) return from;
  const span =
    'daysBack' in from ? from.daysBack * MS_PER_DAY : from.intervalsBack * intervalMinutes * MS_PER_MINUTE;
  return new Date(to.getTime() - span);
}

export type BackfillService = ReturnType<typeof createBackfillService>;

/** What stands behind the meters, and what is wrong with them, in the automatic mode. Its model counts without being named. */
function automatic(emulation: Emulation = FIRST_EMULATION) {
  const { model, place, ...behind } = shownEmulation(emulation);
  return behind;
}

/** A field that the request leaves out is as in the tenant's automatic mode, or as that mode's default. */
function settingsOf(
  request: BackfillWanted,
  emulation: Emulation,
  auto: FleetSettings | undefined,
): FleetSettings {
  const fleet = request.fleet ?? auto?.fleet ?? 'synthetic';
  // The automatic mode's size says nothing about the other kind of fleet.
  const sizes = auto?.fleet === fleet ? auto : undefined;
  const whole = wholeFleet(fleet);
  return {
    tenantId: request.tenantId,
    intervalMinutes: request.intervalMinutes ?? auto?.intervalMinutes ?? 15,
    batchSize: request.batchSize ?? auto?.batchSize ?? DEFAULT_BATCH_SIZE,
    meterCount: request.meterCount ?? sizes?.meterCount ?? whole.meterCount,
    feederCount: request.feederCount ?? sizes?.feederCount ?? whole.feederCount,
    fleet,
    seed: request.seed ?? auto?.seed ?? null,
    timeZone: request.timeZone ?? sameZone(emulation, auto) ?? zoneOf(emulation),
    climate: request.climate ?? auto?.climate ?? DEFAULT_CLIMATE,
    emulation,
  };
}

/** The zone of the automatic mode, unless the request asks for another place than that mode's. */
function sameZone({ place }: Emulation, auto: FleetSettings | undefined): string | undefined {
  return place === (auto?.emulation?.place ?? null) ? auto?.timeZone : undefined;
}

/** The settings as the plan has them. A whole registry stays whole, however it grows. */
function heldToCaps(asked: FleetSettings, { fleet, batchSize }: PublishPlan): FleetSettings {
  return {
    ...asked,
    batchSize,
    meterCount: asked.meterCount === null ? null : fleet.meterCount,
    feederCount: asked.fleet === 'registry' ? null : fleet.feederCount,
  };
}

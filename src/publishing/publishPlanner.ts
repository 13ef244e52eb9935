import { randomUUID } from 'node:crypto';
import type { Lane } from '../contracts/batchJob.js';
import { DEFAULT_FEEDER_COUNT, SMALL_METER_COUNT } from '../contracts/defaults.js';
import type { FleetSettings } from '../contracts/fleetSettings.js';
import type { PublishOrigin } from '../contracts/publishAnswer.js';
import type { Database } from '../db/db.js';
import { defaultSeed } from '../emulator/chance/random.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import { currentFleet, surveyedRegistry } from '../registry/currentFleet.js';
import type { RegistrySurvey } from '../registry/survey.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { sharedRuns } from '../timing/sharedRuns.js';
import { type JobLimit, type PublishPlan, planPublish } from './plan.js';
import { planRegistryPublish } from './registryPlan.js';
import { requireFits, requireReferenced, requireTenantFits } from './requireFits.js';

/** The interval of a publish, and who asked for it. */
export interface PublishedAs {
  readAt: Date;
  origin: PublishOrigin;
  lane: Lane;
  onConflict: 'nothing' | 'update';
  requestId: string;
}

/** A plan with its snapshot of the registry; null for the synthetic fleet. */
export interface FleetPlan extends PublishPlan {
  snapshotId: string | null;
}

/** Turns the settings of a fleet into a plan, and a plan into the ledger's record of a publish. It accepts nothing. */
export function createPublishPlanner({
  database,
  schema,
}: {
  database: Database;
  /** Where reads go, and where the meters of `fleet: "registry"` come from. */
  schema: Pick<SchemaMapping, 'reads' | 'registry'>;
}) {
  // Surveying a registry of 25,000 meters takes 70 ms of a core: a thousand callers at once must not each do it.
  const snapshotOf = sharedRuns((tenantId) => currentFleet(database, schema.registry, tenantId));
  const surveyOf = sharedRuns((tenantId) => surveyedRegistry(database, schema.registry, tenantId));

  /** @throws ApiError 400 when the table of reads cannot take what was planned. */
  const checked = async <P extends PublishPlan>(
    settings: FleetSettings,
    make: () => Promise<P>,
  ): Promise<P> => {
    const { tenantId } = settings;
    requireTenantFits(schema.reads, tenantId);
    const plan = await make();
    if (settings.fleet === 'synthetic') {
      requireFits(schema.reads, { tenantId, fleet: plan.fleet });
      await requireReferenced(database, schema, { tenantId, fleet: plan.fleet });
    }
    return plan;
  };

  const preview = async (settings: FleetSettings, limit?: JobLimit): Promise<PublishPlan> =>
    settings.fleet === 'registry'
      ? registryPlan(settings, await surveyOf(settings.tenantId), limit)
      : syntheticPlan(settings, limit);

  const plan = async (settings: FleetSettings, limit?: JobLimit): Promise<FleetPlan> => {
    if (settings.fleet === 'synthetic') return { ...syntheticPlan(settings, limit), snapshotId: null };
    const { survey, snapshotId } = await snapshotOf(settings.tenantId);
    return { ...registryPlan(settings, survey, limit), snapshotId };
  };

  return {
    /**
     * What a publish would be, without a snapshot: nothing is written.
     *
     * @throws ApiError 400 `registry_empty`, or when the fleet does not fit the table of reads.
     */
    preview: (settings: FleetSettings, limit?: JobLimit) => checked(settings, () => preview(settings, limit)),

    /** The plan of a publish that is asked for, with the snapshot that it names. @throws as `preview` does. */
    plan: (settings: FleetSettings, limit?: JobLimit) => checked(settings, () => plan(settings, limit)),

    /**
     * The same for settings that were checked when they were accepted: looking up 25,000 meters in a customer's table
     * at every interval would be for nothing.
     *
     * @throws ApiError 400 `registry_empty`.
     */
    planAgain: plan,
  };
}

export type PublishPlanner = ReturnType<typeof createPublishPlanner>;

/** The ledger's record of a publish of a whole fleet. */
export function publishRecord(settings: FleetSettings, plan: FleetPlan, as: PublishedAs): PublishRecord {
  const { fleet, snapshotId, batchSize, batchCount } = plan;
  return {
    publishId: randomUUID(),
    tenantId: settings.tenantId,
    origin: as.origin,
    lane: as.lane,
    readAt: as.readAt,
    intervalMinutes: settings.intervalMinutes,
    seed: settings.seed ?? defaultSeed(settings.tenantId),
    meterCount: fleet.meterCount,
    // A registry fleet's are its snapshot's: see sql/schema/ledger.sql.
    feederCount: snapshotId === null ? fleet.feederCount : 0,
    snapshotId,
    rangeFrom: 0,
    rangeTo: fleet.meterCount,
    timeZone: settings.timeZone,
    climate: settings.climate,
    ...(settings.emulation && { emulation: settings.emulation }),
    batchSize,
    batchCount,
    onConflict: as.onConflict,
    requestId: as.requestId,
  };
}

function syntheticPlan(settings: FleetSettings, limit?: JobLimit): PublishPlan {
  const meterCount = settings.meterCount ?? SMALL_METER_COUNT;
  const feederCount = settings.feederCount ?? DEFAULT_FEEDER_COUNT;
  return planPublish({ ...settings, meterCount, feederCount }, limit);
}

function registryPlan(settings: FleetSettings, survey: RegistrySurvey, limit?: JobLimit): PublishPlan {
  const { batchSize, meterCount, feederCount } = settings;
  return planRegistryPublish(
    { batchSize, meterCount: meterCount ?? undefined, feederCount: feederCount ?? undefined },
    survey,
    limit,
  );
}

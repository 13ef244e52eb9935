import type { BatchJob } from '../contracts/batchJob.js';
import { FIRST_EMULATION } from '../contracts/emulation.js';
import { applyEvents, type EventScene, type LateDelivery } from '../emulator/events/applyEvents.js';
import { type FeederEvent, isLateOutage } from '../emulator/events/feederEvent.js';
import { createUnstolenUse } from '../emulator/events/unstolenUse.js';
import type { RegistryBatch } from '../emulator/fleet/registryMeters.js';
import {
  feederId,
  feederRuns,
  meterId,
  meterNumber,
  metersOfFeeder,
  type SyntheticFleet,
} from '../emulator/fleet/syntheticFleet.js';
import { applyNetwork } from '../emulator/network/applyNetwork.js';
import {
  generateReads,
  generateRegistryReads,
  type ReadColumns,
  type ReadsScene,
} from '../emulator/reads.js';
import type { NewHold } from '../ledger/heldReads.js';
import { type FeederMeters, heldReads } from './heldReads.js';
import { type Arriving, arriving } from './lateArrivals.js';

/** The meters of a job whose fleet is a registry's. */
export interface RegistryMeters {
  /** At the job's positions. */
  batch: RegistryBatch;
  /** All meters of each feeder that an event selects a share of. */
  metersOfFeeder: (feederId: string) => readonly string[];
}

/**
 * The reads of one batch job, as the emulator makes them; `events` are those that overlap its interval.
 *
 * @param registry for a job with a `fleetId`, undefined for one of the synthetic fleet.
 * @param late of a delivery after an outage.
 */
export function generateBatch(
  job: BatchJob,
  events: readonly FeederEvent[],
  registry?: RegistryMeters,
  late?: LateDelivery,
): ReadColumns {
  const scene = sceneOf(job, registry, late);
  return applyEvents(arrivingReads(job, registry), events, scene);
}

/** What outages keep the batch from writing, for now. Parameters as above. */
export function heldOfBatch(
  job: BatchJob,
  events: readonly FeederEvent[],
  registry?: RegistryMeters,
  late?: LateDelivery,
): NewHold[] {
  if (![...events, ...(late?.underWay ?? [])].some(isLateOutage)) return [];
  return heldReads(job, batchMeters(job, registry?.batch), events, sceneOf(job, registry, late));
}

/** What of a batch's reads is there by now: all of them, unless its fleet's network brings some late. */
export function arrivingOf(job: BatchJob, columns: ReadColumns, registry?: RegistryMeters): Arriving {
  const lateness = job.emulation?.network.lateness;
  if (!lateness) return { columns, holds: [] };
  return arriving(job, lateness, columns, batchMeters(job, registry?.batch));
}

/** The reads of a batch as they come in over its network, without events. */
function arrivingReads(job: BatchJob, registry?: RegistryMeters): ReadColumns {
  const readsAt = (readAt: Date): ReadColumns => {
    const scene = { ...readsScene(job), readAt };
    return registry
      ? generateRegistryReads(scene, registry.batch)
      : generateReads({ ...scene, from: job.from, to: job.to, fleet: syntheticFleet(job) });
  };
  const { network } = job.emulation ?? FIRST_EMULATION;
  const before = new Date(job.readAt.getTime() - job.intervalMinutes * 60_000);
  return applyNetwork(readsAt(job.readAt), network, readsScene(job), () => readsAt(before));
}

function readsScene(job: BatchJob): ReadsScene {
  const { tenantId, seed, readAt, intervalMinutes, timeZone, climate } = job;
  const { model, place, customers, der } = job.emulation ?? FIRST_EMULATION;
  return {
    ...{ tenantId, seed, readAt, intervalMinutes, timeZone, climate, model, customers, der },
    ...(place === null ? {} : { place }),
  };
}

function sceneOf(job: BatchJob, registry?: RegistryMeters, late?: LateDelivery): EventScene {
  const { tenantId, seed, readAt, intervalMinutes, timeZone } = job;
  const syntheticFeederCount = registry
    ? registry.batch.syntheticFeederCount
    : syntheticFleet(job).feederCount;
  return {
    ...{ tenantId, seed, readAt, intervalMinutes, timeZone },
    use: createUnstolenUse({ ...readsScene(job), syntheticFeederCount }),
    metersOfFeeder: registry?.metersOfFeeder ?? ((id) => metersOfFeeder(tenantId, id, syntheticFleet(job))),
    ...(late && { late }),
  };
}

/** The meters of a batch job, feeder by feeder. */
function batchMeters(job: BatchJob, registry?: RegistryBatch): readonly FeederMeters[] {
  if (registry) return registry.runs;
  const fleet = syntheticFleet(job);
  return feederRuns(fleet, job.from, job.to).map(({ feeder, firstOrdinal, count }) => ({
    feederId: feederId(feeder),
    meterIds: Array.from({ length: count }, (_, index) =>
      meterId(job.tenantId, meterNumber(feeder, firstOrdinal + index, fleet.feederCount)),
    ),
  }));
}

/** The feeders of a batch job's meters, in the order of the meters. */
export function batchFeederIds(job: BatchJob, registry?: RegistryBatch): string[] {
  if (registry) return registry.runs.map((run) => run.feederId);
  return feederRuns(syntheticFleet(job), job.from, job.to).map((run) => feederId(run.feeder));
}

function syntheticFleet({ fleet, fleetId }: BatchJob): SyntheticFleet {
  if (fleet === undefined) throw new Error(`the meters of fleet ${fleetId} were not looked up`);
  return fleet;
}

import type { BatchJob } from '../contracts/batchJob.js';
import { applyEvents } from '../emulator/events/applyEvents.js';
import type { FeederEvent } from '../emulator/events/feederEvent.js';
import type { RegistryBatch } from '../emulator/fleet/registryMeters.js';
import {
  feederId,
  feederRuns,
  metersOfFeeder,
  type SyntheticFleet,
} from '../emulator/fleet/syntheticFleet.js';
import { generateReads, generateRegistryReads, type ReadColumns } from '../emulator/reads.js';

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
 */
export function generateBatch(
  job: BatchJob,
  events: readonly FeederEvent[],
  registry?: RegistryMeters,
): ReadColumns {
  const { tenantId, seed, readAt } = job;
  if (registry) {
    const { batch, metersOfFeeder } = registry;
    return applyEvents(generateRegistryReads(job, batch), events, { tenantId, seed, readAt, metersOfFeeder });
  }
  const fleet = syntheticFleet(job);
  return applyEvents(generateReads({ ...job, fleet }), events, {
    tenantId,
    seed,
    readAt,
    metersOfFeeder: (id) => metersOfFeeder(tenantId, id, fleet),
  });
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

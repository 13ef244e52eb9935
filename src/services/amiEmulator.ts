import type { BatchJob } from '../contracts/batchJob.js';
import { applyEvents } from '../emulator/events.js';
import type { FeederEvent } from '../emulator/feederEvent.js';
import { feederId, feederRuns, metersOfFeeder } from '../emulator/fleet.js';
import { generateReads, type ReadColumns } from '../emulator/reads.js';

/** The reads of one batch job, as the emulator makes them; `events` are those that overlap its interval. */
export function generateBatch(job: BatchJob, events: readonly FeederEvent[]): ReadColumns {
  return applyEvents(generateReads(job), events, {
    tenantId: job.tenantId,
    seed: job.seed,
    readAt: job.readAt,
    metersOfFeeder: (id) => metersOfFeeder(job.tenantId, id, job.fleet),
  });
}

/** The feeders a batch job touches, in the order of its meters. */
export function batchFeederIds(job: BatchJob): string[] {
  return feederRuns(job.fleet, job.from, job.to).map((run) => feederId(run.feeder));
}

import type { BatchJob } from '../contracts/batchJob.js';
import { feederId, feederRuns } from '../emulator/fleet.js';
import { generateReads, type ReadColumns } from '../emulator/reads.js';

/** The reads of one batch job, as the emulator makes them. */
export function generateBatch(job: BatchJob): ReadColumns {
  return generateReads(job);
}

/** The feeders a batch job touches, in the order of its meters. */
export function batchFeederIds(job: BatchJob): string[] {
  return feederRuns(job.fleet, job.from, job.to).map((run) => feederId(run.feeder));
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Lane } from '../contracts/batchJob.js';
import type { BatchOutcome } from '../reads/meterReads.js';

/** Seconds. 500 reads take some 50 ms; a statement ends after 30 s. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of a worker's batches; what it gives back is to be told of each. */
export function observeBatches(registry: Registry) {
  const registers = [registry];
  const reads = new Counter({
    name: 'gridlens_reads_total',
    help: 'Reads of the batches that this worker has written, by outcome: inserted, updated, duplicate, or skipped by an outage.',
    labelNames: ['lane', 'outcome'],
    registers,
  });
  const late = new Counter({
    name: 'gridlens_late_reads_total',
    help: 'Reads that this worker has written after the outages that had held them back.',
    registers,
  });
  const batches = new Counter({
    name: 'gridlens_batches_total',
    help: 'Runs of batches in this worker, by outcome: written, finished_before, failed (tried again), given_up, or handed_back by a worker that stops.',
    labelNames: ['lane', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'gridlens_batch_write_duration_seconds',
    help: 'From the start of a batch to the end of its write; waiting for its turn is not counted.',
    labelNames: ['lane'],
    buckets: BUCKETS,
    registers,
  });
  const concurrency = new Gauge({
    name: 'gridlens_worker_concurrency',
    help: 'How many live batches this worker runs at once.',
    registers,
  });
  // Prometheus takes the first value that it sees for no growth: a series has to be there before it grows.
  for (const lane of ['live', 'background'] satisfies Lane[]) {
    for (const outcome of ['inserted', 'updated', 'duplicate', 'skipped']) reads.inc({ lane, outcome }, 0);
    for (const outcome of ['written', 'finished_before', 'failed', 'given_up', 'handed_back'])
      batches.inc({ lane, outcome }, 0);
    seconds.zero({ lane });
  }
  return {
    ran(
      lane: Lane,
      result: BatchOutcome & { alreadyFinished: boolean; elapsedMs: number; isLate?: true },
    ): void {
      batches.inc({ lane, outcome: result.alreadyFinished ? 'finished_before' : 'written' });
      if (result.alreadyFinished) return;
      seconds.observe({ lane }, result.elapsedMs / 1000);
      for (const outcome of ['inserted', 'updated', 'duplicate', 'skipped'] as const)
        reads.inc({ lane, outcome }, result[outcome]);
      if (result.isLate) late.inc(result.inserted + result.updated);
    },
    ended: (lane: Lane, outcome: string): void => batches.inc({ lane, outcome }),
    concurrency: (most: number): void => concurrency.set(most),
  };
}

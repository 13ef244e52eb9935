import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { BackpressureError } from '../contracts/errors.js';
import { MAX_BATCH_SIZE } from '../contracts/limits.js';
import { DEFAULT_CLIMATE, DEFAULT_TIME_ZONE } from '../contracts/place.js';
import { type Database, isPassing } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import type { Admission } from '../publishing/admission.js';
import { ensurePartitions } from '../reads/partitions.js';
import { doublingPause } from '../timing/doublingPause.js';
import {
  daysOfBatches,
  noteAccepted,
  noteTrouble,
  type OpenImport,
  openImports,
  settleImports,
} from './openImports.js';

interface SupplierOptions {
  database: Database;
  admission: Admission;
  now: () => Date;
  log?: Pick<Logger, 'warn'>;
}

export interface ImportSupplier {
  /**
   * Accepts publishes for about a second, for every import in turn, until enough of each is waiting or the queue is full. To
   * be called every second or so. Several processes may do this at once, though one alone gets further.
   *
   * @returns how many publishes were accepted.
   * @throws AggregateError with what kept it from some of the work, which is tried again.
   */
  supply(): Promise<number>;
}

const PASS_MS = 1_000;
/** Batches of a publish: 4,000 reads, under two seconds at the limit. */
const BATCHES_AT_ONCE = 8;
/** Batches of all imports that wait at most: 8 s at the limit, which leaves backfills their part of the background lane. */
const MOST_WAITING = 40;
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Supplies the background lane with what files that were read whole have, piece by piece. */
export function createImportSupplier({ database, admission, now, log }: SupplierOptions): ImportSupplier {
  const accept = async (seen: OpenImport): Promise<OpenImport> => {
    const batches = Math.min(BATCHES_AT_ONCE, seen.batches - seen.nextBatch);
    const days = await daysOfBatches(database, seen.importId, seen.nextBatch, seen.nextBatch + batches);
    const [first] = days;
    if (first === undefined) throw new Error(`batch ${seen.nextBatch} has no reads`);
    // A day at a time: a file of years must not hold the lock of admission while it makes a partition for each.
    for (const day of days) await ensurePartitions(database, [day]);
    await admission.admit(publishOf(seen, batches, first), async (client) => {
      if (!(await noteAccepted(client, seen, batches))) throw new MovedMeanwhileError();
    });
    return { ...seen, nextBatch: seen.nextBatch + batches, attempts: 0 };
  };

  const note = async (seen: OpenImport, error: unknown): Promise<void> => {
    const attempts = seen.attempts + 1;
    const pause = doublingPause(PAUSE, seen.attempts);
    const nextTryAt = attempts < MAX_ATTEMPTS ? new Date(now().getTime() + pause) : null;
    const { importId, tenantId, nextBatch } = seen;
    log?.warn(
      { importId, tenantId, nextBatch, reason: (error as Error).message, attempts, nextTryAt },
      'batches of an import not accepted',
    );
    await noteTrouble(database, seen, shownReason(error), nextTryAt);
  };

  return {
    async supply() {
      const until = performance.now() + PASS_MS;
      const errors: unknown[] = [];
      let accepted = 0;
      await settleImports(database).catch((error: unknown) => errors.push(error));
      const turns = await openImports(database, now());
      let waiting = turns.reduce((sum, { pending }) => sum + pending, 0);
      while (performance.now() < until && waiting + BATCHES_AT_ONCE <= MOST_WAITING) {
        const seen = turns.shift();
        if (!seen) break;
        try {
          const after = await accept(seen);
          accepted += 1;
          waiting += after.nextBatch - seen.nextBatch;
          if (after.nextBatch < after.batches) turns.push(after);
        } catch (error) {
          if (error instanceof BackpressureError) break;
          if (isPassing(error)) errors.push(error);
          else if (!(error instanceof MovedMeanwhileError))
            await note(seen, error).catch((failed: unknown) => errors.push(failed));
        }
      }
      if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
      return accepted;
    },
  };
}

/** Thrown inside the admission's transaction, to roll it back: somebody else has cancelled or served the import. */
class MovedMeanwhileError extends Error {
  override name = 'MovedMeanwhileError';
}

function publishOf(seen: OpenImport, batches: number, readAt: Date): PublishRecord {
  const before = seen.nextBatch * MAX_BATCH_SIZE;
  const reads = Math.min(batches * MAX_BATCH_SIZE, seen.reads - before);
  return {
    publishId: randomUUID(),
    tenantId: seen.tenantId,
    origin: 'import',
    lane: 'background',
    readAt,
    // Says nothing: each read has its own length.
    intervalMinutes: 15,
    // Nothing is drawn.
    seed: '',
    meterCount: reads,
    feederCount: 0,
    snapshotId: null,
    rangeFrom: 0,
    rangeTo: reads,
    timeZone: DEFAULT_TIME_ZONE,
    climate: DEFAULT_CLIMATE,
    batchSize: MAX_BATCH_SIZE,
    batchCount: batches,
    onConflict: 'nothing',
    requestId: seen.requestId,
    importId: seen.importId,
    importBatch: seen.nextBatch,
  };
}

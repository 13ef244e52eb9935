import pg from 'pg';
import type { BatchJob, Lane } from '../contracts/batchJob.js';
import { intervalEnd } from '../contracts/intervals.js';
import { type Database, type Queryable, withTransaction } from '../db/db.js';
import type { LateDelivery } from '../emulator/events/applyEvents.js';
import { isLateOutage } from '../emulator/events/feederEvent.js';
import type { RegistryBatch } from '../emulator/fleet/registryMeters.js';
import { type EventRecord, lateOutagesUnderWay, overlappingEvents } from '../events/eventTable.js';
import { type NewHold, noteHolds } from '../ledger/heldReads.js';
import { failBatch, isOwed, isRecorded } from '../ledger/publishLedger.js';
import { type BatchSlots, BOUNDLESS } from '../pacing/batchSlots.js';
import type { StartPacer } from '../pacing/startPacer.js';
import {
  type BatchOutcome,
  type BatchWrite,
  lockRevisions,
  writeBatch,
  writeImportedBatch,
  yieldEstimates,
} from '../reads/meterReads.js';
import { registeredMeters } from '../registry/survey.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { arrivingOf, batchFeederIds, generateBatch, heldOfBatch } from './amiEmulator.js';
import { createSnapshotMeters, registryMeters } from './snapshotMeters.js';

export interface BatchResult extends BatchOutcome {
  /** Whether another run had finished the batch before, or it was cancelled: then nothing was written. */
  alreadyFinished: boolean;
  /** Whether it was a late delivery. */
  isLate?: true;
  /** From the batch's start to the end of its write, ms; waiting for its turn is not counted. */
  elapsedMs: number;
}

const ALREADY_FINISHED: BatchResult = {
  inserted: 0,
  updated: 0,
  duplicate: 0,
  skipped: 0,
  alreadyFinished: true,
  elapsedMs: 0,
};

/**
 * A job whose batch the ledger has never heard of, or has lost: nothing is written for it, and somebody has to look. An
 * answered publish has gone with the end of the log that a promoted standby lacked, or two deployments share a queue.
 */
export class UnknownBatchError extends Error {
  override name = 'UnknownBatchError';
  constructor({ publishId, batch }: BatchJob) {
    super(
      `the ledger does not know batch ${batch} of publish ${publishId}, so nothing was written for it: a failover has lost the publish, and it is to be asked for again, or another deployment uses this queue`,
    );
  }
}

/**
 * Runs one batch: waits for its turn under the read limit, generates its reads with the events, writes them.
 *
 * @param slots the process's own: a batch of either lane holds one from its turn until it is written.
 * @param registry says which meters still exist when the table of reads refuses some; without it the batch fails.
 */
export function createBatchRunner(
  database: Database,
  pacer: StartPacer,
  registry?: RegistryMapping,
  slots: BatchSlots = BOUNDLESS,
) {
  const snapshotMeters = createSnapshotMeters();
  const runFrom = async (startedAt: Date, job: BatchJob): Promise<BatchResult> => {
    const started = performance.now();
    const attempt = (batch: RegistryBatch | undefined): Promise<BatchOutcome | undefined> =>
      job.onConflict === 'update'
        ? writeRevision(database, job, batch, startedAt)
        : write(database, (work) => withTransaction(database, work), job, batch, startedAt);
    if (job.importId !== undefined) {
      const written = await writeImportedBatch(database, job.publishId, job.batch, startedAt);
      return resultOf(job, written, started);
    }
    const batch = await snapshotMeters.of(database, job);
    const outcome = await attempt(batch).catch(async (error) => {
      const remaining = await stillRegistered(database, registry, job, batch, error);
      if (remaining === undefined) throw error;
      return attempt(remaining);
    });
    return resultOf(job, outcome, started);
  };

  const resultOf = async (
    job: BatchJob,
    outcome: BatchOutcome | undefined,
    started: number,
  ): Promise<BatchResult> => {
    const elapsedMs = Math.round(performance.now() - started);
    const late = job.late ? { isLate: true as const } : {};
    return outcome
      ? { ...outcome, ...late, alreadyFinished: false, elapsedMs }
      : { ...(await over(job)), elapsedMs };
  };

  /** The result of a batch that is not owed. @throws UnknownBatchError where it never was. */
  const over = async (job: BatchJob): Promise<BatchResult> => {
    if (await isRecorded(database, job.publishId, job.batch)) return ALREADY_FINISHED;
    throw new UnknownBatchError(job);
  };

  return {
    /**
     * @param isRerun true when the job was started before. Its batch may be done by now, so the ledger is asked before
     * a start is taken from the read limit. Background batches are always asked about: days of them may have been
     * cancelled while they waited.
     * @throws UnknownBatchError for a batch that the ledger does not know.
     */
    async run(job: BatchJob, isRerun: boolean, lane: Lane): Promise<BatchResult> {
      const mayBeOver = isRerun || lane === 'background';
      if (mayBeOver && !(await isOwed(database, job.publishId, job.batch))) return over(job);
      const startedAt = await pacer.turn(job.to - job.from, lane, slots);
      try {
        return await runFrom(startedAt, job);
      } finally {
        slots.leave();
      }
    },

    /** The feeders of a batch's meters, in the order of the meters; none of an import, whose reads are gone by then. */
    async feederIds(job: BatchJob): Promise<string[]> {
      if (job.importId !== undefined) return [];
      return batchFeederIds(job, await snapshotMeters.of(database, job));
    },

    /** Records that a batch cannot be written, for a reason that will not go away. */
    giveUp(job: Pick<BatchJob, 'publishId' | 'batch'>, reason: string): Promise<void> {
      return failBatch(database, job.publishId, job.batch, reason);
    },
  };
}

/**
 * The events are read last, so that an event posted before a batch's turn shows in its reads.
 *
 * @param together has what it is given done in one transaction.
 */
async function write(
  database: Queryable,
  together: <T>(work: (client: Queryable) => Promise<T>) => Promise<T>,
  job: BatchJob,
  registryBatch: RegistryBatch | undefined,
  startedAt: Date,
): Promise<BatchOutcome | undefined> {
  const { publishId, batch, tenantId, readAt, onConflict } = job;
  const until = intervalEnd(readAt, job.intervalMinutes);
  const feederIds = batchFeederIds(job, registryBatch);
  const overlapping = await overlappingEvents(database, tenantId, feederIds, readAt, until);
  const events = eventsOf(job, overlapping);
  const late = job.late && (await deliveryOf(database, job, feederIds));
  const registry = await registryMeters(database, job, registryBatch, [...events, ...(late?.underWay ?? [])]);
  const { columns, holds } = arrivingOf(job, generateBatch(job, events, registry, late), registry);
  // Of an interval that is not over nothing is estimated.
  if (startedAt >= until) await yieldEstimates(database, tenantId, readAt, columns.meterIds);
  const written = { publishId, batch, tenantId, readAt, columns, onConflict, startedAt };
  const held = [...heldOfBatch(job, events, registry, late), ...holds];
  if (held.length === 0) return writeBatch(database, written);
  const knownAt = job.late?.knownAt ?? startedAt;
  return together((client) => writeHolding(client, written, knownAt, held));
}

/** A late delivery's reads are as they would have been: without the thefts, sags and losses that were posted since. */
function eventsOf({ late }: BatchJob, events: readonly EventRecord[]): readonly EventRecord[] {
  if (!late) return events;
  return events.filter((event) => isLateOutage(event) || event.createdAt <= late.knownAt);
}

async function deliveryOf(
  database: Queryable,
  { tenantId, late }: BatchJob,
  feederIds: readonly string[],
): Promise<LateDelivery | undefined> {
  if (!late) return undefined;
  return { asOf: late.asOf, underWay: await lateOutagesUnderWay(database, tenantId, feederIds, late.asOf) };
}

async function writeHolding(
  client: Queryable,
  batch: BatchWrite,
  knownAt: Date,
  held: readonly NewHold[],
): Promise<BatchOutcome | undefined> {
  const outcome = await writeBatch(client, batch);
  if (outcome) await noteHolds(client, { ...batch, knownAt }, held);
  return outcome;
}

/**
 * Revisions of one interval take turns from reading the events to the commit. Otherwise a revision that has read the
 * events before a new one was posted could overwrite what the new event's own revision has written.
 */
function writeRevision(
  database: Database,
  job: BatchJob,
  registryBatch: RegistryBatch | undefined,
  startedAt: Date,
): Promise<BatchOutcome | undefined> {
  return withTransaction(database, async (client) => {
    await lockRevisions(client, job.tenantId, job.readAt);
    return write(client, (work) => work(client), job, registryBatch, startedAt);
  });
}

const FOREIGN_KEY_VIOLATION = '23503';

/**
 * The batch without the meters that have left the registry since the snapshot: reads that refer to the registry are
 * refused for them. Undefined when the error is about something else. Reads that are left out count as skipped.
 */
async function stillRegistered(
  database: Queryable,
  registry: RegistryMapping | undefined,
  { tenantId }: BatchJob,
  batch: RegistryBatch | undefined,
  error: unknown,
): Promise<RegistryBatch | undefined> {
  const isRefused = error instanceof pg.DatabaseError && error.code === FOREIGN_KEY_VIOLATION;
  if (!isRefused || registry === undefined || batch === undefined) return undefined;
  const ids = batch.runs.flatMap(({ meterIds }) => meterIds);
  const known = await registeredMeters(database, registry, tenantId, ids);
  if (known.size === ids.length) return undefined;
  const runs = batch.runs
    .map(({ feederId, meterIds }) => ({ feederId, meterIds: meterIds.filter((id) => known.has(id)) }))
    .filter(({ meterIds }) => meterIds.length > 0);
  return { ...batch, runs };
}

export type BatchRunner = ReturnType<typeof createBatchRunner>;

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { TenantClock } from '../automatic/tenantClock.js';
import { BackpressureError } from '../contracts/errors.js';
import { keptSince } from '../contracts/intervals.js';
import { MAX_BATCH_SIZE } from '../contracts/limits.js';
import { type Database, isPassing } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import { createRandomness, STREAM, subjectOf } from '../emulator/chance/random.js';
import { batchCount } from '../ledger/batchRange.js';
import {
  type DueHold,
  holdingEvents,
  lastMadeAt,
  loseHoldsBefore,
  nextHolds,
  noteHoldTrouble,
  noteSent,
  sentHolds,
  settleSent,
} from '../ledger/heldReads.js';
import type { PublishRecord } from '../ledger/publishLedger.js';
import type { Admission } from '../publishing/admission.js';
import { doublingPause } from '../timing/doublingPause.js';
import { eventsNotOver } from './eventTable.js';

interface LateDeliveryOptions {
  database: Database;
  admission: Admission;
  /** By which events end. */
  clock: TenantClock;
  /** Days of reads that are kept; undefined keeps all. */
  readsRetentionDays: number | undefined;
  now: () => Date;
  log?: Pick<Logger, 'warn'>;
}

export interface LateDeliverySupplier {
  /**
   * Accepts the next burst of what outages have held back, and of what is late without one, for every tenant whose last burst is written. To be called every
   * second or so. Several processes may do this at once, though one alone gets further.
   *
   * @returns how many publishes were accepted.
   * @throws AggregateError with what kept it from some of the work, which is tried again.
   */
  supply(): Promise<number>;
}

/** Deliveries of one burst: with pieces of a feeder's meters some seconds at the limit. */
const BURST = { least: 4, most: 32 };
/** With pauses of 5 s, 10 s, … 5 min: ten minutes in all. */
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Supplies the background lane with the reads that meters have kept during outages. */
export function createLateDeliverySupplier(options: LateDeliveryOptions): LateDeliverySupplier {
  const { database, admission, clock, readsRetentionDays, now, log } = options;

  const note = async (hold: Pick<DueHold, 'holdId' | 'attempts'>, reason: string): Promise<void> => {
    const attempts = hold.attempts + 1;
    const pause = doublingPause(PAUSE, hold.attempts);
    const nextTryAt = attempts < MAX_ATTEMPTS ? new Date(now().getTime() + pause) : null;
    log?.warn({ holdId: hold.holdId, reason, attempts, nextTryAt }, 'late reads not delivered');
    await noteHoldTrouble(database, hold.holdId, reason, nextTryAt);
  };

  /** What outages that are over have held back, and what is late without one, by tenant. */
  const dueSets = async (): Promise<Map<string, { asOf: Date; sets: string[][] }>> => {
    const byTenant = new Map<string, string[][]>();
    for (const { tenantId, eventIds } of await holdingEvents(database))
      byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), eventIds]);
    const due = new Map<string, { asOf: Date; sets: string[][] }>();
    for (const [tenantId, held] of byTenant) {
      const asOf = await clock(tenantId);
      const notOver = await eventsNotOver(database, [...new Set(held.flat())], asOf);
      const sets = held.filter((ids) => ids.length === 0 || !ids.every((id) => notOver.has(id)));
      if (sets.length > 0) due.set(tenantId, { asOf, sets });
    }
    return due;
  };

  const deliver = async (hold: DueHold, asOf: Date): Promise<void> => {
    const publish = lateOf(hold, asOf, await lastMadeAt(database, hold));
    await admission.admit(publish, async (client) => {
      if (!(await noteSent(client, hold.holdId, publish.publishId))) throw new SentMeanwhileError();
    });
  };

  /** @returns whether the queue has room for more. */
  const deliverBurst = async (
    tenantId: string,
    { asOf, sets }: { asOf: Date; sets: string[][] },
    onAccepted: () => void,
    errors: unknown[],
  ): Promise<boolean> => {
    if ((await sentHolds(database, tenantId)) > 0) return true;
    const [first, ...further] = await nextHolds(database, tenantId, { sets, asOf }, now(), BURST.most);
    if (!first) return true;
    for (const hold of [first, ...further].slice(0, burstSize(first))) {
      try {
        await deliver(hold, asOf);
        onAccepted();
      } catch (error) {
        if (error instanceof BackpressureError) return false;
        if (isPassing(error)) errors.push(error);
        else if (!(error instanceof SentMeanwhileError)) await note(hold, shownReason(error));
      }
    }
    return true;
  };

  return {
    async supply() {
      const errors: unknown[] = [];
      let accepted = 0;
      for (const { failure, ...hold } of await settleSent(database)) await note(hold, failure);
      const kept = keptSince(now(), readsRetentionDays);
      if (kept !== undefined)
        await loseHoldsBefore(
          database,
          kept,
          `older than reads are kept (READS_RETENTION_DAYS=${readsRetentionDays})`,
        );
      for (const [tenantId, due] of await dueSets()) {
        const onAccepted = (): void => {
          accepted += 1;
        };
        const hasRoom = await deliverBurst(tenantId, due, onAccepted, errors);
        if (!hasRoom) break;
      }
      if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
      return accepted;
    },
  };
}

/** Thrown inside the admission's transaction, to roll it back: another process has accepted the delivery. */
class SentMeanwhileError extends Error {
  override name = 'SentMeanwhileError';
}

/** How many deliveries the burst has that begins with this one, drawn from the seed. */
function burstSize({ tenantId, feederId, from, readAt, publish }: DueHold): number {
  const draw = createRandomness(publish.seed, tenantId).uniform(
    STREAM.deliveryBurst,
    subjectOf(`${feederId} ${from}`),
    readAt.getTime() / 900_000,
  );
  return BURST.least + Math.floor(draw * (BURST.most - BURST.least + 1));
}

/** The publish that delivers what a batch of another one has left out. */
function lateOf({ holdId, from, to, publish }: DueHold, asOf: Date, knownAt: Date): PublishRecord {
  return {
    ...publish,
    publishId: randomUUID(),
    origin: 'late',
    lane: 'background',
    rangeFrom: from,
    rangeTo: to,
    batchSize: MAX_BATCH_SIZE,
    batchCount: batchCount(to - from, MAX_BATCH_SIZE),
    onConflict: 'nothing',
    ...{ holdId, lateAsOf: asOf, knownAt },
  };
}

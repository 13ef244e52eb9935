import type { Logger } from 'pino';
import { BackpressureError, DependencyUnavailableError } from '../contracts/errors.js';
import { type Database, isPassing, type Queryable } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import type { Admission } from '../publishing/admission.js';
import type { MissingParts, PartsAs } from '../publishing/missingParts.js';
import { isSnapshotGone } from '../registry/snapshots.js';
import { withDeadline } from '../timing/deadline.js';
import { doublingPause } from '../timing/doublingPause.js';
import { type AutoConfig, holdConfig } from './autoConfig.js';
import { putOffInterval, takeInterval } from './claims.js';

export interface PublishOptions {
  database: Database;
  admission: Admission;
  missingParts: MissingParts;
  now: () => Date;
  log: Logger;
}

/** An interval of a tenant in automatic mode, as it was found. */
export interface IntervalToPublish {
  readAt: Date;
  /** The publish that had taken the interval on; null for none. */
  takenBy: string | null;
  /** How often the interval could not be published. */
  attempts: number;
}

/**
 * - `published`: something was accepted for it.
 * - `whole`: there was nothing to publish.
 * - `refused`: the queue has no room; whoever asks next is refused too.
 * - `taken`: another process was quicker, or the tenant has been stopped.
 * - `put off`: it cannot be published now, for a reason of its own.
 */
export type PublishOutcome = 'published' | 'whole' | 'refused' | 'taken' | 'put off';

/** Runs in the transaction that accepts the interval's last publish, or alone when there is nothing to publish. */
export type WhenTaken = (client: Queryable) => Promise<boolean>;

/**
 * Publishes what one interval of a tenant lacks: all of it, or some batches.
 *
 * Claim and publish are one transaction that holds the tenant's configuration. So an interval is taken on once,
 * whichever process does it, and never after the tenant was stopped.
 */
export function createIntervalPublisher({ database, admission, missingParts, now, log }: PublishOptions) {
  const publishMissing = async (
    config: AutoConfig,
    { readAt, takenBy }: IntervalToPublish,
    as: PartsAs,
    whenTaken: WhenTaken,
  ): Promise<PublishOutcome> => {
    const { tenantId } = config;
    const { records, governing } = await withDeadline(
      () => missingParts.look(config, readAt, as),
      LOOK_LIMIT_MS,
      () => new DependencyUnavailableError('postgres', `not looked up within ${LOOK_LIMIT_MS} ms`),
    );
    let before = takenBy;
    for (const [index, record] of records.entries()) {
      await admission.admit(record, async (client) => {
        const taken =
          (await holdConfig(client, config)) &&
          (await takeInterval(client, tenantId, readAt, before, record.publishId)) &&
          (index < records.length - 1 || (await whenTaken(client)));
        if (!taken) throw new TakenMeanwhileError();
      });
      before = record.publishId;
    }
    if (records.length > 0) return 'published';
    if (governing && takenBy === null) await takeInterval(database, tenantId, readAt, null, governing);
    await whenTaken(database);
    return 'whole';
  };

  return {
    /** @throws DependencyUnavailableError when Postgres or the queue is away for everybody. */
    async publish(
      config: AutoConfig,
      interval: IntervalToPublish,
      as: PartsAs,
      whenTaken: WhenTaken = async () => true,
    ): Promise<PublishOutcome> {
      const { tenantId } = config;
      const { readAt, attempts } = interval;
      try {
        return await publishMissing(config, interval, as, whenTaken);
      } catch (error) {
        if (error instanceof TakenMeanwhileError) return 'taken';
        if (error instanceof BackpressureError) return 'refused';
        if (isSnapshotGone(error)) return 'put off';
        // Without the queue nothing can be published for anybody.
        if (error instanceof DependencyUnavailableError && error.dependency === 'queue') throw error;
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ tenantId, readAt, reason }, 'interval not published, to be tried again');
        // When Postgres is away for everybody the note fails too, and that ends the pass.
        const pause = doublingPause(isPassing(error) ? PASSING_PAUSE : PAUSE, attempts);
        await putOffInterval(database, tenantId, readAt, later(now(), pause), shownReason(error));
        return 'put off';
      }
    },
  };
}

export type IntervalPublisher = ReturnType<typeof createIntervalPublisher>;

/** Looking an interval up takes some ms. When one registry is locked the other tenants must not wait for it. */
const LOOK_LIMIT_MS = 2_000;

/** Thrown inside the admission's transaction, to roll it back. */
class TakenMeanwhileError extends Error {
  override name = 'TakenMeanwhileError';
}

/** 1 s, 2 s … 32 s: the trouble of one tenant, as a locked registry, must not keep the others from their turn. */
const PASSING_PAUSE = { first: 1_000, longest: 32_000 };
/** 15 s, 30 s, 1 min … 10 min: what a person has to mend is not tried every second, and not left for hours. */
const PAUSE = { first: 15_000, longest: 600_000 };

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

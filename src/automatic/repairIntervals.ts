import { randomUUID } from 'node:crypto';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { latestAcceptance } from '../ledger/intervalLedger.js';
import { doublingPause } from '../timing/doublingPause.js';
import { enabledConfigs } from './autoConfig.js';
import { doubtfulIntervals } from './owedIntervals.js';
import type { IntervalPublisher } from './publishInterval.js';
import { windowOf } from './window.js';

interface RepairOptions {
  database: Database;
  publisher: IntervalPublisher;
  readsRetentionDays: number | undefined;
  /** How many of the last intervals are looked at; undefined looks at all that catch-up does. */
  lastIntervals: number | undefined;
  now: () => Date;
}

/** From 1 to 16 min: a window of four quarter hours sees seven tries. */
const PAUSE = { first: 60_000, longest: 960_000 };

/**
 * Publishes again what the last intervals have lost since they were published: batches that were given up or cancelled,
 * and reads that have been deleted. The pause doubles before each further try: an interval that fails by its own fault
 * fails again.
 *
 * @returns how many intervals something was published for.
 */
export async function repairIntervals({
  database,
  publisher,
  readsRetentionDays,
  lastIntervals,
  now,
}: RepairOptions): Promise<number> {
  const at = now();
  const configs = new Map(
    (await enabledConfigs(database).catch(rethrowUnavailable))
      .filter(({ replay }) => !replay)
      .map((config) => [
        config.tenantId,
        { ...config, catchUpIntervals: Math.min(config.catchUpIntervals, lastIntervals ?? Infinity) },
      ]),
  );
  const windows = [...configs.values()].map((config) => windowOf(config, at, readsRetentionDays));
  let repaired = 0;
  for (const { tenantId, readAt, publishId } of await doubtfulIntervals(database, windows)) {
    const config = configs.get(tenantId);
    if (!config) continue;
    const { publishes, secondsAgo } = await latestAcceptance(database, tenantId, readAt);
    if (secondsAgo * 1_000 < doublingPause(PAUSE, publishes - 1)) continue;
    const running = windowOf(config, at).running.getTime() === readAt.getTime();
    const outcome = await publisher.publish(
      config,
      { readAt, takenBy: publishId, attempts: 0 },
      { origin: 'catch-up', lane: running ? 'live' : 'background', requestId: randomUUID() },
    );
    if (outcome === 'refused') break;
    if (outcome === 'published') repaired += 1;
  }
  return repaired;
}

/**
 * Room: automatic. Promises: every interval of a tenant in automatic mode is published once, by itself, through
 * restarts and outages. Configuration, claims and ledger say what is owed; a tick only wakes whoever works that
 * out.
 */

import type { Logger } from 'pino';
import type { Database } from '../db/db.js';
import type { Admission } from '../publishing/admission.js';
import type { MissingParts } from '../publishing/missingParts.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import { createDispatch } from './dispatch.js';
import { createIntervalPublisher } from './publishInterval.js';
import { repairIntervals } from './repairIntervals.js';
import { syncSchedulers } from './schedulers.js';

interface AutomaticOptions {
  database: Database;
  ticks: TickQueue;
  admission: Admission;
  /** Intervals of what publishes by itself, looked at by ledger and reads. */
  missingParts: MissingParts;
  /** Admits what late deliveries, imports and backfills want next, in this order, as far as there is room. */
  supplyBackground: () => Promise<unknown>;
  readsRetentionDays: number | undefined;
  now: () => Date;
  log: Logger;
}

/**
 * The last intervals are looked through every time, and whatever else catch-up looks back over every tenth: 96 intervals
 * of 80 tenants took a second and a half.
 */
const LAST_INTERVALS = 4;
const LOOKS_AT_ALL = 10;

/** What the watchdog has put right. */
export interface WatchdogResult {
  schedulersMade: number;
  schedulersRemoved: number;
  intervalsRepaired: number;
}

/** What publishes by itself, as worker processes run it: ticks and passes, and the watchdog behind them. */
export function createAutomatic(options: AutomaticOptions) {
  const { database, ticks, admission, missingParts, supplyBackground, readsRetentionDays, now, log } =
    options;
  const publisher = createIntervalPublisher({ database, admission, missingParts, now, log });
  const dispatch = createDispatch({ database, publisher, supplyBackground, readsRetentionDays, now, log });
  let looks = 0;
  return {
    tick: dispatch.tick,
    pass: dispatch.pass,

    /**
     * Makes the schedulers what the configuration says, and has published again what the last intervals have lost; of all
     * processes one does it at a time. A queue that is away keeps nothing from being repaired.
     *
     * @returns undefined where another process is at it.
     */
    watch(): Promise<WatchdogResult | undefined> {
      return oneProcessAtATime(database, 'watchdog', async () => {
        const lastIntervals = looks % LOOKS_AT_ALL === 0 ? undefined : LAST_INTERVALS;
        looks += 1;
        const [schedulers, repaired] = await Promise.allSettled([
          syncSchedulers(database, ticks, now()),
          repairIntervals({ database, publisher, readsRetentionDays, lastIntervals, now }),
        ]);
        if (schedulers.status === 'rejected') throw schedulers.reason;
        if (repaired.status === 'rejected') throw repaired.reason;
        const { made, removed } = schedulers.value;
        return { schedulersMade: made, schedulersRemoved: removed, intervalsRepaired: repaired.value };
      });
    },
  };
}

export type Automatic = ReturnType<typeof createAutomatic>;

import type { Logger } from 'pino';
import { createBackfillFeeder } from '../backfill/supplier.js';
import type { Database } from '../db/db.js';
import type { Admission } from '../publishing/admission.js';
import { createCoverage } from '../publishing/missingParts.js';
import { createPublishPlanner } from '../publishing/publishPlanner.js';
import type { TickQueue } from '../queues/tickQueue.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { inSoleTurn } from '../timing/oneProcessAtATime.js';
import { createDispatch } from './dispatch.js';
import { createIntervalFill } from './publishInterval.js';
import { repairIntervals } from './repairIntervals.js';
import { syncSchedulers } from './schedulers.js';

interface AutomaticOptions {
  database: Database;
  ticks: TickQueue;
  schema: SchemaMapping;
  admission: Admission;
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
  const { database, ticks, schema, admission, readsRetentionDays, now, log } = options;
  const planner = createPublishPlanner({ database, schema });
  const coverage = createCoverage({ database, planner });
  const fill = createIntervalFill({ database, admission, coverage, now, log });
  const backfills = createBackfillFeeder({ database, admission, coverage, readsRetentionDays, now });
  const feedBackfills = () => backfills.feed();
  const dispatch = createDispatch({ database, fill, feedBackfills, readsRetentionDays, now, log });
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
      return inSoleTurn(database, 'watchdog', async () => {
        const lastIntervals = looks % LOOKS_AT_ALL === 0 ? undefined : LAST_INTERVALS;
        looks += 1;
        const [schedulers, repaired] = await Promise.allSettled([
          syncSchedulers(database, ticks, now()),
          repairIntervals({ database, fill, readsRetentionDays, lastIntervals, now }),
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

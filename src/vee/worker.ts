import type { Logger } from 'pino';
import type { Database } from '../db/db.js';
import { isPassing } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { doublingPause } from '../timing/doublingPause.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import type { Outcome } from '../timing/periodic.js';
import { createPartEstimator, estimatedSpan } from './estimate/estimatePart.js';
import { writeEstimates } from './estimate/writeEstimates.js';
import { startDueRuns, wantsValidation } from './intervalRuns.js';
import { compareRegisters } from './registers.js';
import { findRun, nextRun, noteTrouble, RunMovedError, type VeeRun } from './runs.js';
import { type VeeSettings, veeSettings } from './settings.js';
import { createPartValidator } from './validatePart.js';

interface VeeWorkerOptions {
  database: Database;
  schema: Pick<SchemaMapping, 'reads'>;
  now: () => Date;
  log?: Pick<Logger, 'info' | 'warn'>;
}

export interface VeeWorker {
  /**
   * Goes on with runs for some seconds, one process at a time. To be called every second or so.
   *
   * @returns whether this process had the turn.
   */
  work(): Promise<Outcome>;
}

/** A turn ends after so long, so that a process that stops is not waited for; the next turn goes on. */
const TURN_MS = 4_000;
/** How often it is looked whether an interval of a tenant is complete. */
const LOOK_MS = 5_000;
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Serves the runs of all tenants, a batch of meters at a time. */
export function createVeeWorker({ database, schema, now, log }: VeeWorkerOptions): VeeWorker {
  const validatePart = createPartValidator(database, schema.reads);
  const estimatePart = createPartEstimator(database);
  let lookAgainAt = 0;

  const goOn = async (run: VeeRun, settings: VeeSettings): Promise<void> => {
    const { rules, timeZone, graceIntervals } = settings;
    const span = estimatedSpan(run, graceIntervals, now());
    if (run.step === 'validate') await validatePart(run, rules);
    else if (run.step === 'registers') await compareRegisters(database, run, rules, new Date(span.from));
    else if (run.estimate && run.partAt.getTime() < span.to)
      await estimatePart(run, { rules, timeZone, span, now: now() });
    else {
      await writeEstimates(database, run);
      const { runId, tenantId, findings, estimated } = run;
      log?.info({ runId, tenantId, findings, estimated }, 'reads validated');
    }
  };

  const note = async (run: VeeRun, error: unknown): Promise<void> => {
    const attempts = run.attempts + 1;
    const nextTryAt =
      attempts < MAX_ATTEMPTS ? new Date(now().getTime() + doublingPause(PAUSE, run.attempts)) : null;
    const { runId, tenantId } = run;
    log?.warn(
      { runId, tenantId, reason: (error as Error).message, attempts, nextTryAt },
      'a run of validation did not go on',
    );
    await noteTrouble(database, runId, shownReason(error), nextTryAt);
  };

  const turn = async (): Promise<void> => {
    const until = performance.now() + TURN_MS;
    while (performance.now() < until) {
      const run = await nextRun(database, now());
      if (run === undefined) return;
      const settings = await veeSettings(database, run.tenantId);
      try {
        let seen: VeeRun | undefined = run;
        while (seen !== undefined && isOpen(seen) && performance.now() < until) {
          await goOn(seen, settings);
          seen = await findRun(database, run.runId);
        }
      } catch (error) {
        if (error instanceof RunMovedError) continue;
        if (isPassing(error)) throw error;
        await note(run, error);
      }
    }
  };

  /** Whether there is anything to do here: one look at small indexes is all that tenants cost that want nothing. */
  const hasWork = async (): Promise<boolean> => {
    if ((await nextRun(database, now())) !== undefined) return true;
    if (performance.now() < lookAgainAt) return false;
    lookAgainAt = performance.now() + LOOK_MS;
    return wantsValidation(database);
  };

  return {
    async work() {
      if (!(await hasWork())) return 'ran';
      const done = await oneProcessAtATime(database, 'vee', async () => {
        await startDueRuns(database, now(), schema.reads.own);
        await turn();
        return true;
      });
      return done ? 'ran' : 'skipped';
    },
  };
}

const isOpen = ({ state }: VeeRun): boolean => state === 'waiting' || state === 'running';

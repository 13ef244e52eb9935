import type { Logger } from 'pino';
import type { Database } from '../db/db.js';
import { isPassing } from '../db/db.js';
import { shownReason } from '../db/shownReason.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { doublingPause } from '../timing/doublingPause.js';
import { oneProcessAtATime } from '../timing/oneProcessAtATime.js';
import type { Outcome } from '../timing/periodic.js';
import { compareRegisters } from './registers.js';
import { endRun, findRun, nextRun, noteTrouble, RunMovedError, type VeeRun } from './runs.js';
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
const MAX_ATTEMPTS = 8;
const PAUSE = { first: 5_000, longest: 300_000 };

/** Serves the runs of all tenants, a batch of meters at a time. */
export function createVeeWorker({ database, schema, now, log }: VeeWorkerOptions): VeeWorker {
  const validatePart = createPartValidator(database, schema.reads);

  const goOn = async (run: VeeRun, settings: VeeSettings): Promise<void> => {
    if (run.step === 'validate') await validatePart(run, settings.rules);
    else if (run.step === 'registers') await compareRegisters(database, run, settings.rules);
    else {
      await endRun(database, run.runId);
      log?.info({ runId: run.runId, tenantId: run.tenantId, findings: run.findings }, 'reads validated');
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

  return {
    async work() {
      if (!(await hasWork(database, now()))) return 'ran';
      const done = await oneProcessAtATime(database, 'vee', async () => {
        await turn();
        return true;
      });
      return done ? 'ran' : 'skipped';
    },
  };
}

const isOpen = ({ state }: VeeRun): boolean => state === 'waiting' || state === 'running';

/** One look at small indexes: all that tenants cost that want no validation. */
async function hasWork(database: Database, now: Date): Promise<boolean> {
  return (await nextRun(database, now)) !== undefined;
}

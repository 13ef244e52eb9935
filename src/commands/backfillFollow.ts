import { setTimeout } from 'node:timers/promises';
import type { BackfillService } from '../backfill/backfill.js';
import type { BackfillAnswer } from '../backfill/progressAnswer.js';
import { DependencyUnavailableError, StartupError } from '../contracts/errors.js';
import { type Database, rethrowUnavailable } from '../db/db.js';
import { liveWorkers } from '../status/workers.js';
import { percentDone, progressText } from './backfillReport.js';

const LOOK_EVERY_MS = 500;

/** Whether anything is filled at all. */
export async function isWorkerAlive(database: Database): Promise<boolean> {
  return (await liveWorkers(database).catch(rethrowUnavailable)).length > 0;
}

/** Shows a backfill until it is over, through outages of Postgres too; answers what has come of it. */
export async function followBackfill(
  database: Database,
  service: BackfillService,
  backfillId: string,
  show: (percent: number, text: string) => void,
): Promise<BackfillAnswer> {
  let percent = 0;
  for (;;) {
    try {
      const progress = await service.find(backfillId);
      if (!progress) throw new StartupError(`Backfill ${backfillId} is not there any more.`);
      percent = percentDone(progress);
      show(percent, progressText(progress, await isWorkerAlive(database)));
      if (progress.state !== 'queued' && progress.state !== 'running') return progress;
    } catch (error) {
      if (!(error instanceof DependencyUnavailableError)) throw error;
      show(percent, error.message);
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

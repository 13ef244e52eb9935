import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterHomes } from './clusterFolder.js';
import { endOrphanedBackends, findPostmaster, isAlive, type Postmaster, sendSignal } from './postmaster.js';

const LOOK_EVERY_MS = 50;
/** From SIGQUIT to SIGKILL; a backend that gets SIGQUIT leaves at once. */
const IMMEDIATE_WITHIN_MS = 400;

type StopSignal = 'SIGINT' | 'SIGQUIT' | 'SIGKILL';

export interface StopOptions {
  /** When a fast stop must give way to an immediate one (epoch ms), asked again and again. Default: 30 s on. */
  immediateAfter?: () => number;
}

/**
 * Fast (SIGINT): open transactions are rolled back and everything is flushed. When its time is over, immediate
 * (SIGQUIT): nothing is lost then either, but the next start replays the log. SIGKILL is for a Postgres that hangs.
 *
 * We send the signals ourselves, since `pg_ctl stop` believes `postmaster.pid`. Ours work even if somebody has deleted the
 * data folder under a running Postgres, and never hit a stranger.
 */
export async function stopPostmaster(
  postmaster: Postmaster,
  dataFolder: string,
  options: StopOptions = {},
): Promise<void> {
  const in30s = Date.now() + 30_000;
  const immediateAfter = options.immediateAfter ?? (() => in30s);
  const ask = (signal: StopSignal) => sendSignal(postmaster.pid, signal);
  let immediateAt: number | undefined;
  let killed = false;
  if (Date.now() < immediateAfter()) ask('SIGINT');
  while (await isAlive(postmaster)) {
    if (immediateAt === undefined && Date.now() >= immediateAfter()) {
      immediateAt = Date.now();
      ask('SIGQUIT');
    } else if (immediateAt !== undefined && !killed && Date.now() >= immediateAt + IMMEDIATE_WITHIN_MS) {
      killed = true;
      ask('SIGKILL');
    }
    await sleep(LOOK_EVERY_MS);
  }
  await endOrphanedBackends(dataFolder);
}

/** Stops a Postgres that runs on this data folder and that nobody looks after any more. */
export async function stopLeftPostgres(dataDir: string, options: StopOptions = {}): Promise<void> {
  for (const home of await clusterHomes(dataDir)) {
    if (home === undefined) continue;
    const dataFolder = join(home, 'postgres');
    const postmaster = await findPostmaster(dataFolder);
    if (postmaster) await stopPostmaster(postmaster, dataFolder, options);
  }
}

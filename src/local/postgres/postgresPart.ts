import { setTimeout as sleep } from 'node:timers/promises';
import { onStopAnnounced, onSupervisorLost, reportReady } from '../../process/supervised.js';
import { restartDelayMs } from '../stack/partRunner.js';
import { startupSentence } from '../stack/startupSentence.js';
import { outliveTerminal } from '../terminal.js';
import { stopLeftPostgres } from './clusterStop.js';
import { prepareCluster, type RunningCluster, startCluster } from './postgresCluster.js';

/**
 * The supervised part that owns Postgres: `postgresPart.ts <data folder>`. Postgres itself is not our child, as it
 * must outlive a `kill -9` of this process; the next one adopts it.
 */

/** A look costs a read of /proc; Postgres back within a second is what the API's clients may notice. */
const LOOK_EVERY_MS = 250;
/** The time of a fast stop if nobody has said when everything must have ended. */
const FAST_STOP_MS = 1_500;
/** The part of the announced time that is kept for an immediate stop and our own exit. */
const IMMEDIATE_STOP_MS = 700;
/** After the supervisor was killed, API and worker finish their work first. A psql does not hold us up longer than this. */
const CLIENTS_GO_WITHIN_MS = 3_000;

const stopping = new AbortController();
const { signal } = stopping;
let askedAt = 0;
let announcedEnd: number | undefined;
let supervisorLost = false;

function stop(): void {
  askedAt ||= Date.now();
  stopping.abort();
}

/** When a fast stop has taken long enough; never if nobody waits for it. */
function immediateAfter(): number {
  if (supervisorLost || askedAt === 0) return Number.POSITIVE_INFINITY;
  return announcedEnd === undefined ? askedAt + FAST_STOP_MS : announcedEnd - IMMEDIATE_STOP_MS;
}

async function run(dataDir: string): Promise<void> {
  let delayMs: number | undefined;
  let everReady = false;
  while (!signal.aborted) {
    let readyAt = Date.now();
    try {
      const onProgress = (line: string) => process.stderr.write(`${line}\n`);
      const prepared = await prepareCluster({ dataDir, signal, onProgress });
      const cluster = await startCluster(prepared, { signal, immediateAfter });
      const { connectionString, dataFolder, systemIdentifier } = cluster;
      reportReady({ connectionString, dataFolder, systemIdentifier });
      everReady = true;
      readyAt = Date.now();
      if ((await endOf(cluster)) === 'asked') return;
      process.stderr.write('Postgres ended by itself: starting it again.\n');
    } catch (error) {
      if (signal.aborted) return;
      process.stderr.write(`${startupSentence(error)}\n`);
      if (!everReady) throw error;
    }
    delayMs = restartDelayMs(delayMs, Date.now() - readyAt);
    await sleep(delayMs, undefined, { signal }).catch(() => undefined); // Asked to stop: the loop sees it.
  }
}

/** Waits until Postgres dies, or until we are asked to stop: then stops it. */
async function endOf(cluster: RunningCluster): Promise<'asked' | 'died'> {
  while (await cluster.isRunning()) {
    if (signal.aborted) {
      if (supervisorLost) await clientsGone(cluster);
      await cluster.stop({ immediateAfter });
      return 'asked';
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined); // As above.
  }
  return signal.aborted ? 'asked' : 'died';
}

async function clientsGone(cluster: RunningCluster): Promise<void> {
  const deadline = Date.now() + CLIENTS_GO_WITHIN_MS;
  while (Date.now() < deadline) {
    // A Postgres that does not answer has no clients to wait for.
    if ((await cluster.clients().catch(() => 0)) === 0) return;
    await sleep(100);
  }
}

outliveTerminal();
// The supervisor decides about these, and sends SIGTERM in its turn; on its own this process ends by SIGTERM too.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGTERM', stop);
onStopAnnounced((by) => {
  announcedEnd = by;
});
onSupervisorLost(() => {
  supervisorLost = true;
  stop();
});
const [dataDir = '.gridlens'] = process.argv.slice(2);
run(dataDir)
  // Asked to stop before we had adopted what a killed predecessor left: it must not stay behind either.
  .finally(() => stopLeftPostgres(dataDir, { immediateAfter }))
  .then(
    () => process.exit(0),
    () => process.exit(1),
  );

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../contracts/errors.js';
import { replaceFile } from '../keptFile.js';
import { connectionStringOf, countClients, greet } from './clusterConnection.js';
import type { PreparedCluster } from './clusterFiles.js';
import { launch, resetPassword, type Settings } from './clusterLaunch.js';
import { portCandidates } from './clusterPort.js';
import { type StopOptions, stopPostmaster } from './clusterStop.js';
import { endOrphanedBackends, findPostmaster, isAlive, type Postmaster } from './postmaster.js';

/** A recovery that takes longer than pg_ctl waits is not cut short; this is for a Postgres that hangs. */
const USABLE_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 50;
/** The backends of a killed postmaster end at their next look at the world, so within a statement or two. */
const HELD_AT_MOST_MS = 30_000;

/** The options of a start, and those of the stop if the start is aborted. */
export interface StartOptions extends StopOptions {
  /** Unset: the port of last time, else 54329. 0, or when that one is taken: any free one. */
  port?: number;
  /** Added to our own settings, and stronger than those. */
  settings?: Settings;
  signal?: AbortSignal | undefined;
}

export interface RunningCluster {
  readonly connectionString: string;
  readonly port: number;
  readonly dataFolder: string;
  /** Made by initdb. A different identifier means a different, empty database under the same name. */
  readonly systemIdentifier: string;
  /** Whether it ran already, left by a start that was killed. */
  readonly adopted: boolean;
  isRunning(): Promise<boolean>;
  /** How many connections there are besides the one that asks. */
  clients(): Promise<number>;
  /** Idempotent; does nothing when Postgres is not running. */
  stop(options?: StopOptions): Promise<void>;
}

/**
 * Starts Postgres, or adopts the one that runs on this folder already, and makes the database.
 * Either returns with Postgres usable or leaves none running.
 *
 * @throws StartupError with Postgres's own reason; the signal's reason when aborted.
 */
export async function startCluster(
  cluster: PreparedCluster,
  options: StartOptions = {},
): Promise<RunningCluster> {
  try {
    return await start(cluster, options);
  } catch (error) {
    const postmaster = await findPostmaster(cluster.dataFolder);
    if (postmaster) await stopPostmaster(postmaster, cluster.dataFolder, options);
    throw error;
  }
}

async function start(cluster: PreparedCluster, options: StartOptions): Promise<RunningCluster> {
  const { signal, settings = {} } = options;
  const deadline = Date.now() + USABLE_WITHIN_MS;
  const ports = portCandidates(cluster.dataDir, options.port);
  let port = await nextPort(ports);
  let heldUntil = Date.now() + HELD_AT_MOST_MS;
  let launched = false;
  let passwordReset = false;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    const postmaster = await findPostmaster(cluster.dataFolder);
    if (postmaster === undefined) {
      const result = await launch(cluster, port, settings, signal);
      if (result === 'started' || result === 'port-taken') heldUntil = Date.now() + HELD_AT_MOST_MS;
      if (Date.now() > heldUntil) {
        throw new StartupError(
          `Processes of an earlier Postgres still work in ${cluster.dataFolder}: end them (\`ps ax | grep postgres\`) and start again.`,
        );
      }
      launched ||= result === 'started';
      if (result === 'port-taken') port = await nextPort(ports);
      if (result === 'orphans') await endOrphanedBackends(cluster.dataFolder);
      if (result === 'held' || result === 'orphans') await sleep(5 * LOOK_EVERY_MS);
      continue;
    }
    const greeting = postmaster.port ? await greet(cluster, postmaster.port) : { state: 'not-yet' as const };
    if (greeting.state === 'ready') {
      return running(cluster, postmaster, {
        ...greeting,
        port: postmaster.port as number,
        adopted: !launched,
      });
    }
    if (greeting.state === 'wrong-password') {
      if (passwordReset) throw new StartupError(`Postgres refuses its own password: see ${cluster.logFile}.`);
      await stopPostmaster(postmaster, cluster.dataFolder, options);
      await resetPassword(cluster);
      passwordReset = true;
      continue;
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw new StartupError(`Postgres did not become usable within 5 minutes: see ${cluster.logFile}.`);
}

async function nextPort(ports: AsyncGenerator<number>): Promise<number> {
  const { value } = await ports.next();
  return value as number; // The generator never ends.
}

async function running(
  cluster: PreparedCluster,
  postmaster: Postmaster,
  facts: { port: number; systemIdentifier: string; adopted: boolean },
): Promise<RunningCluster> {
  const connectionString = connectionStringOf(cluster, facts.port);
  await replaceFile(join(cluster.dataDir, 'database-url'), `${connectionString}\n`);
  return {
    port: facts.port,
    systemIdentifier: facts.systemIdentifier,
    adopted: facts.adopted,
    connectionString,
    dataFolder: cluster.dataFolder,
    isRunning: () => isAlive(postmaster),
    clients: () => countClients(cluster, facts.port),
    stop: (options) => stopPostmaster(postmaster, cluster.dataFolder, options),
  };
}

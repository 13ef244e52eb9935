import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StartupError } from '../../contracts/errors.js';
import { keptOnce, makeFolder, readIfThere } from '../keptFile.js';
import { unfinishedPathFor } from '../unfinished.js';
import { chooseClusterPlace } from './clusterFolder.js';
import { type Owner, runCommand } from './ownerCommand.js';
import { type Binaries, findNativeFolder, type NativeFolder, usableBinaries } from './postgresBinaries.js';

/** The one superuser of the embedded Postgres, and its one database. */
export const CLUSTER_USER = 'gridlens';

export interface PrepareOptions {
  /** Where GridLens keeps what is its own; Postgres too where the owner can reach it. */
  dataDir: string;
  /** For root alone: where Postgres goes when its user cannot reach `dataDir`. */
  fallbackRoot?: string;
  /** Tests give one with a fault; else the npm package's. */
  native?: NativeFolder;
  /** `false` for tests: the cluster is made in half the time, but a power cut may spoil it. */
  durable?: boolean;
  signal?: AbortSignal | undefined;
  /** Told in one line what takes a moment, and what was made outside of `dataDir`. */
  onProgress?: (line: string) => void;
}

/** A cluster that exists on disk and can be started. */
export interface PreparedCluster {
  dataDir: string;
  /** PGDATA, with symbolic links resolved. */
  dataFolder: string;
  logFile: string;
  binaries: Binaries;
  owner: Owner | undefined;
  password: string;
}

/**
 * Finds the binaries, the OS user and the folder, and makes the cluster there once. Safe to be killed at any point:
 * the cluster appears under its name in one rename, after initdb has flushed it to disk.
 *
 * @throws StartupError one sentence that says what to do.
 */
export async function prepareCluster(options: PrepareOptions): Promise<PreparedCluster> {
  await makeFolder(resolve(options.dataDir));
  const dataDir = await realpath(options.dataDir);
  const place = await chooseClusterPlace(dataDir, options.fallbackRoot, options.onProgress);
  const native = options.native ?? (await findNativeFolder());
  const binaries = await usableBinaries(native, place.owner, place.copyRoot);
  const password = await keptOnce(join(dataDir, 'postgres-password'), () =>
    randomBytes(24).toString('base64url'),
  );
  const prepared: PreparedCluster = {
    dataDir,
    dataFolder: join(place.home, 'postgres'),
    logFile: join(place.home, 'postgres.log'),
    binaries,
    owner: place.owner,
    password,
  };
  const version = await readIfThere(join(prepared.dataFolder, 'PG_VERSION'));
  if (version === undefined) {
    options.onProgress?.(`Making the database in ${prepared.dataFolder} (once).`);
    await makeCluster(prepared, options);
  } else if (Number.parseInt(version, 10) !== binaries.major) {
    throw new StartupError(
      `The database in ${prepared.dataFolder} was made by Postgres ${version.trim()}, and this GridLens brings Postgres ${binaries.major}: upgrade it with pg_upgrade, or move that folder away to begin with an empty one.`,
    );
  }
  await makeLogFile(prepared);
  return prepared;
}

async function makeCluster(prepared: PreparedCluster, { durable, signal }: PrepareOptions): Promise<void> {
  const { owner, binaries, dataFolder } = prepared;
  // The password file lies beside the data: initdb wants an empty folder, and its user must be able to read it.
  const workshop = await unfinishedPathFor(dataFolder);
  const unfinished = join(workshop, 'data');
  const passwordFile = join(workshop, 'password');
  await mkdir(workshop, { mode: 0o700 });
  try {
    await writeFile(passwordFile, `${prepared.password}\n`, { mode: 0o600 });
    for (const path of owner ? [workshop, passwordFile] : []) await give(path, owner);
    const { code, output } = await runCommand(
      binaries.programs.initdb,
      [
        ['--pgdata', unfinished],
        ['--username', CLUSTER_USER],
        ['--pwfile', passwordFile],
        ['--auth', 'scram-sha-256'],
        // Sorting and case rules that are the same on every system, and independent of its libraries.
        [
          '--encoding',
          'UTF8',
          '--locale',
          'C',
          '--locale-provider',
          'builtin',
          '--builtin-locale',
          'C.UTF-8',
        ],
        ['--no-instructions'],
        durable === false ? ['--no-sync'] : [],
      ].flat(),
      { owner, signal },
    );
    signal?.throwIfAborted();
    if (code !== 0)
      throw new StartupError(`Postgres could not make its data folder ${dataFolder}: ${cause(output)}`);
    await rename(unfinished, dataFolder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // Another start was faster; or else the folder holds something that is not ours to replace.
    if ((await readIfThere(join(dataFolder, 'PG_VERSION'))) === undefined) {
      throw new StartupError(
        `${dataFolder} is not empty and holds no Postgres data: move it away and start again.`,
      );
    }
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

/** Postgres appends to it as its own user, who may not create files in the data folder's parent. */
async function makeLogFile({ logFile, owner }: PreparedCluster): Promise<void> {
  await (await open(logFile, 'a', 0o600)).close();
  await give(logFile, owner);
}

async function give(path: string, owner: Owner | undefined): Promise<void> {
  if (owner) await chown(path, owner.uid, owner.gid);
}

function cause(output: string): string {
  const line =
    output.split('\n').find((candidate) => /error:|FATAL/.test(candidate)) ?? output.split('\n').at(-1);
  return `${line?.replace(/^initdb: error: /, '')}; set GRIDLENS_DATA_DIR to a folder on a local disk, or set DATABASE_URL.`;
}

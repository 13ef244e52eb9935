import { open, stat } from 'node:fs/promises';
import { StartupError } from '../../contracts/errors.js';
import { CLUSTER_USER, type PreparedCluster } from './clusterFiles.js';
import { runCommand } from './ownerCommand.js';
import { findPostmaster, removeMisleadingPidFile } from './postmaster.js';

/** Postgres settings by name. */
export type Settings = Readonly<Record<string, string>>;

/** `orphans`: backends of a killed postmaster have not gone. `held`: another start was faster, or it recovers. */
export type Launch = 'started' | 'port-taken' | 'orphans' | 'held';

const SETTINGS: Settings = {
  // Reachable from this machine alone, by password; a socket file would need a folder that any user may write.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // 128MB is Postgres's default; a week of 25,000 meters has an index larger than that.
  shared_buffers: '256MB',
  // API and worker pools, BullMQ's pinned connections, and room for a psql or a dashboard.
  max_connections: '200',
  // Fewer checkpoints under the steady stream of a quarter-hour's inserts.
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Recovery after a power cut replays up to max_wal_size: some seconds on an SSD, a minute or two on a slow disk. */
const START_WITHIN_SECONDS = '180';

/**
 * `pg_ctl start`, which gives Postgres a session of its own.
 *
 * @throws StartupError with Postgres's own reason.
 */
export async function launch(
  cluster: PreparedCluster,
  port: number,
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<Launch> {
  const { binaries, dataFolder, logFile, owner } = cluster;
  await removeMisleadingPidFile(dataFolder);
  const logged = (await stat(logFile)).size;
  const { code, output } = await runCommand(
    binaries.programs.pgCtl,
    [
      ['start', '--wait', '--timeout', START_WITHIN_SECONDS, '--silent'],
      ['--pgdata', dataFolder, '--log', logFile],
      ['--options', optionsOf({ ...SETTINGS, ...settings, port: String(port) })],
    ].flat(),
    { owner, signal },
  );
  signal?.throwIfAborted();
  if (code === 0) return 'started';
  // Still recovering: whoever asks again finds it.
  if (await findPostmaster(dataFolder)) return 'held';
  const reason = await readFrom(logFile, logged);
  if (/could not create any TCP\/IP sockets|Address already in use/.test(reason)) return 'port-taken';
  if (/pre-existing shared memory block/.test(reason)) return 'orphans';
  if (/lock file ".*" already exists/.test(reason)) return 'held';
  throw new StartupError(
    `Postgres did not start: ${fatalLine(reason) ?? output.split('\n')[0]} (see ${logFile}).`,
  );
}

/**
 * Sets the superuser's password to the one on file, by a Postgres that runs for this statement alone. That is needed when
 * the file was deleted or came from elsewhere. Postgres must not be running.
 */
export async function resetPassword({
  binaries,
  dataFolder,
  owner,
  password,
}: PreparedCluster): Promise<void> {
  await removeMisleadingPidFile(dataFolder);
  const literal = password.replaceAll("'", "''");
  const { code, output } = await runCommand(
    binaries.programs.postgres,
    ['--single', '-D', dataFolder, 'postgres'],
    { owner, input: `ALTER ROLE ${CLUSTER_USER} PASSWORD '${literal}'\n` },
  );
  if (code === 0 && !/\b(ERROR|FATAL):/.test(output)) return;
  throw new StartupError(
    `The password in postgres-password is not the one of the database in ${dataFolder}, and could not be set: ${fatalLine(output) ?? output}.`,
  );
}

/** pg_ctl hands this text to a shell, so only what needs no quoting may pass. */
function optionsOf(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (/^\w+=[\w.:/%-]*$/.test(`${name}=${value}`)) return `-c ${name}=${value}`;
      throw new StartupError(
        `The Postgres setting ${name}=${value} has characters that cannot be passed on.`,
      );
    })
    .join(' ');
}

async function readFrom(path: string, offset: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(64_000), position: offset });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function fatalLine(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => /\b(FATAL|PANIC|ERROR): /.test(line));
  return lines[0]?.replace(/^.*\b(FATAL|PANIC|ERROR):\s+/, '');
}

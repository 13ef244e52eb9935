import { chmod, mkdtemp, readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux's file system in memory. */
const IN_MEMORY = '/dev/shm';
/** A run's databases take up to 1.5 GB. */
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * A folder for everything that a run makes: in memory where there is room, since the 300 files of each new test database
 * cost 0.2 to 0.5 s of CPU on ext4 and 0.02 s there, else where temporary files are. TMPDIR, where it is set, decides.
 */
export async function makeRunFolder(): Promise<string> {
  const folder = await mkdtemp(
    join(
      process.env.TMPDIR === undefined && (await isUsable(IN_MEMORY)) ? IN_MEMORY : tmpdir(),
      'gridlens-run-',
    ),
  );
  await chmod(folder, 0o755); // mkdtemp closes it even to the user that Postgres runs as.
  return folder;
}

/** Whether there is room, and programs may be run from there, as some tests do with copies of Postgres's. */
async function isUsable(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    const mounts = await readFile('/proc/mounts', 'utf8');
    const options = mounts
      .split('\n')
      .map((line) => line.split(' '))
      .find(([, at]) => at === folder)?.[3];
    return bavail * bsize >= ROOM_BYTES && options !== undefined && !options.split(',').includes('noexec');
  } catch {
    // No Linux, or no such folder: temporary files are good enough.
    return false;
  }
}

import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What tells a process from a later one with the same number; `undefined` when there is no such process.
 *
 * A number alone is not enough: containers hand out the same low ones at each start, so a lock that says "20"
 * would name a stranger. A zombie counts as gone: nobody reaps Postgres where npm or node is process 1.
 */
export async function startMark(pid: number): Promise<string | undefined> {
  if (!processExists(pid)) return undefined;
  if (process.platform === 'linux') return linuxStartMark(pid);
  const listing = await processListing(pid, 'stat=,lstart=');
  return listing === undefined || listing.startsWith('Z')
    ? undefined
    : listing.replace(/^\S+\s+/, '').replaceAll(/\s+/g, '_');
}

/** Whether the process that once had this mark still runs. */
export async function isSameProcess(pid: number, mark: string): Promise<boolean> {
  return (await startMark(pid)) === mark;
}

/** Whether any process has this number, zombies and other users' included: what Postgres itself asks. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process works in `folder`: a postmaster's working folder is its data folder. */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return ((await processListing(pid, 'command=')) ?? '').includes(folder);
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === folder;
  } catch {
    // Gone meanwhile, or another user's: in neither case a Postgres of ours.
    return false;
  }
}

async function linuxStartMark(pid: number): Promise<string | undefined> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The name in parentheses may hold spaces: the fields are counted from the last parenthesis, `state` first.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' ? undefined : `${bootId.slice(0, 8)}-${startTime}`;
  } catch {
    return undefined; // It ended between the two looks.
  }
}

async function processListing(pid: number, columns: string): Promise<string | undefined> {
  try {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
    const { stdout } = await run('ps', ['-ww', '-o', columns, '-p', String(pid)], { env });
    return stdout.trim() || undefined;
  } catch {
    return undefined; // ps ends with 1 when there is no such process.
  }
}

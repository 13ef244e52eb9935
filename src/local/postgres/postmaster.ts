import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from '../keptFile.js';
import { isSameProcess, processExists, startMark, worksIn } from '../stack/processIdentity.js';

/** The main process of a running Postgres. */
export interface Postmaster {
  pid: number;
  /** See {@link startMark}. */
  mark: string;
  /** `undefined` for the first instant of its life. */
  port: number | undefined;
}

/**
 * The Postgres that runs on this data folder, ours or one left over from a start that was killed.
 *
 * `pg_ctl status` does not do: it believes the number in `postmaster.pid` even if that is a stranger's by now, as after a
 * container's restart.
 */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const content = await readIfThere(join(dataFolder, 'postmaster.pid'));
  if (content === undefined) return undefined;
  const lines = content.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const mark = await startMark(pid);
  if (mark === undefined || !(await worksIn(pid, dataFolder))) return undefined;
  return { pid, mark, port: Number(lines[3]) || undefined };
}

export async function isAlive(postmaster: Postmaster): Promise<boolean> {
  return isSameProcess(postmaster.pid, postmaster.mark);
}

/**
 * Removes a `postmaster.pid` whose number now belongs to a stranger (or a zombie), at which Postgres would refuse
 * to start. Where no such process exists Postgres clears up by itself, and safely when two start at once.
 */
export async function removeMisleadingPidFile(dataFolder: string): Promise<void> {
  const path = join(dataFolder, 'postmaster.pid');
  const content = await readIfThere(path);
  if (content === undefined || !processExists(Number.parseInt(content, 10))) return;
  if (await findPostmaster(dataFolder)) return;
  if ((await readIfThere(path)) === content) await rm(path, { force: true });
}

/**
 * Ends the backends that have outlived their postmaster. Most end by themselves, but one in the middle of a long
 * query does not look up, and as long as it is attached to the old shared memory no new Postgres may start.
 *
 * Linux alone shows which folder a process works in; elsewhere such a query must come to its end.
 */
export async function endOrphanedBackends(dataFolder: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const working: number[] = [];
  for (const pid of numbers) if (await worksIn(pid, dataFolder)) working.push(pid);
  for (const pid of working) {
    const [title, status] = await Promise.all(['cmdline', 'status'].map((file) => procFile(pid, file)));
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status ?? '')?.[1]);
    // A backend calls itself `postgres: …`, unlike a postmaster; one whose parent is in this folder has a postmaster.
    if (title?.startsWith('postgres: ') && !working.includes(parent)) sendSignal(pid, 'SIGQUIT');
  }
}

/** A process that has ended meanwhile is as good as signalled. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function procFile(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''); // It has ended.
}

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../contracts/errors.js';
import { createExclusively, makeFolder, readIfThere, replaceFile } from '../keptFile.js';
import { isSameProcess, startMark } from './processIdentity.js';

/** Longer than the 5 s within which the parts of a killed start end by themselves. */
const LEFTOVERS_GO_WITHIN_MS = 10_000;

export interface StartLock {
  /** Notes a part's process, so that the next start can wait for it should this one be killed. */
  recordPart(name: string, pid: number): void;
  release(): Promise<void>;
}

interface Holder {
  pid: number;
  mark: string;
  name: string;
}

/**
 * One `npm start` per data folder. `<dataDir>/start.pid` has a line per process, the start itself first: its number, what
 * tells it from a later process of that number, and its name.
 *
 * @throws StartupError when another start runs, or when a part of a killed one does not go.
 */
export async function acquireStartLock(dataDir: string): Promise<StartLock> {
  await makeFolder(dataDir);
  const path = join(dataDir, 'start.pid');
  const own = lineOf({ pid: process.pid, mark: (await startMark(process.pid)) ?? '-', name: 'start' });
  const deadline = Date.now() + LEFTOVERS_GO_WITHIN_MS;
  while (!(await take(path, own, deadline))) await sleep(50);
  return lockHeld(path, own);
}

/**
 * One try. A stale lock is replaced under a claim that is named after the lock's content: only one process can hold the
 * claim, and nobody else can replace that content meanwhile. Removing the stale file first would not do: if two processes
 * saw it, the slower one would remove the new lock of the faster.
 */
async function take(path: string, own: string, deadline: number): Promise<boolean> {
  if (await createExclusively(path, own)) return true;
  const found = await readIfThere(path);
  if (found === undefined) return false;
  if (await stillHeld(found, deadline)) return false;

  const claim = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 12)}`;
  if (!(await take(claim, own, deadline))) return false;
  try {
    const unchanged = (await readIfThere(path)) === found;
    if (unchanged) await replaceFile(path, own);
    return unchanged;
  } finally {
    await rm(claim, { force: true });
  }
}

async function stillHeld(content: string, deadline: number): Promise<boolean> {
  const holders = content.split('\n').flatMap(parseLine);
  const alive: Holder[] = [];
  for (const holder of holders) if (await isSameProcess(holder.pid, holder.mark)) alive.push(holder);
  const [first] = alive;
  if (first === undefined) return false;
  if (first.name === 'start') {
    throw new StartupError(
      `GridLens is already running from this folder (process ${first.pid}): stop it with Ctrl-C or \`kill ${first.pid}\`, or set GRIDLENS_DATA_DIR to another folder.`,
    );
  }
  if (Date.now() < deadline) return true;
  throw new StartupError(
    `A part of an earlier start still runs (${first.name}, process ${first.pid}): end it with \`kill -9 ${first.pid}\` and start again.`,
  );
}

function lockHeld(path: string, own: string): StartLock {
  const parts = new Map<string, string>();
  let writing: Promise<void> = Promise.resolve();
  let released = false;
  const write = async (name: string, pid: number) => {
    const mark = await startMark(pid);
    if (mark === undefined || released) return;
    parts.set(name, lineOf({ pid, mark, name }));
    await replaceFile(path, [own, ...parts.values()].join(''));
  };
  return {
    recordPart(name, pid) {
      // A disk that is full must not end a running stack: the note only spares the next start a wait.
      writing = writing.then(() => write(name, pid)).catch(() => undefined);
    },
    async release() {
      released = true;
      await writing;
      if ((await readIfThere(path))?.startsWith(own)) await rm(path, { force: true });
    },
  };
}

function lineOf({ pid, mark, name }: Holder): string {
  return `${pid} ${mark} ${name}\n`;
}

function parseLine(line: string): Holder[] {
  const [pid, mark, name] = line.split(' ');
  return pid && mark && name ? [{ pid: Number(pid), mark, name }] : [];
}

import {
  chmod,
  constants,
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../contracts/errors.js';
import { unfinishedPathFor } from './unfinished.js';

/** Owner only: these files hold secrets, or what others must not alter. */
const PRIVATE = 0o600;

/** Makes a folder. If root makes it, every user may enter it whatever the umask: Postgres runs as another user. */
export async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true });
  if (firstMade === undefined || process.getuid?.() !== 0) return;
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await chmod(made, 0o755);
}

/**
 * A value made once and kept in a file. Processes that start at the same moment all get the same one.
 *
 * @throws StartupError when the file is there but blank.
 */
export async function keptOnce(path: string, make: () => string): Promise<string> {
  // On a file system without hard links the file is empty for an instant, so it is looked at again.
  for (let look = 0; look < 20; look += 1) {
    const kept = await readIfThere(path);
    if (kept === undefined) await createExclusively(path, `${make()}\n`);
    else if (kept.trim() === '') await sleep(50);
    else {
      await makePrivate(path);
      return kept.trim();
    }
  }
  throw new StartupError(`${path} is empty: delete it, and a new one is made at the next start.`);
}

/** The content, or `undefined` when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates the file with its whole content in one step; `false` when it is there already. */
export async function createExclusively(path: string, content: string): Promise<boolean> {
  return throughTemporary(path, content, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') return false;
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code ?? '')) throw error;
    }
    return copyExclusively(temporary, path);
  });
}

/** Replaces the file in one step: a reader sees the old content or the new, a killed writer leaves the old. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await throughTemporary(path, content, (temporary) => rename(temporary, path));
}

async function throughTemporary<T>(
  path: string,
  content: string,
  use: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = await unfinishedPathFor(path);
  try {
    await writeFile(temporary, content, { mode: PRIVATE, flag: 'wx' });
    return await use(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** For exFAT and some network file systems, which have no hard links: exclusive, though not in one step. */
async function copyExclusively(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function makePrivate(path: string): Promise<void> {
  const { mode, uid } = await stat(path);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(path, PRIVATE);
}

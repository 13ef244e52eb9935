import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';
import { StartupError } from '../contracts/errors.js';

/** What a file is called until it is whole, after whose it is: two processes never write into one. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file under a temporary name, brings it onto the disk, and renames it: a file by the name is whole.
 *
 * @throws StartupError the operating system's reason, for example that the disk is full; there is no file then.
 */
export async function writeWholeFile(path: string, contents: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}-${threadId}${UNFINISHED}`;
  try {
    await makeFolder(dirname(path));
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritableFile(path, error);
  }
}

/** The operating system's reason as a sentence; other errors as they are. */
export function unwritableFile(path: string, error: unknown): unknown {
  const { syscall, code, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const reason = code === 'ENOSPC' ? 'the disk is full' : message;
  return new StartupError(`${path} cannot be written: ${reason}.`, { cause: error });
}

/** Makes a folder and those above it. `mkdir` with `recursive` never ends below /proc, where nothing can be made (Node 20). */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let at = folder; !(await isThere(at)) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const one of missing)
    await mkdir(one).catch((error: NodeJS.ErrnoException) => {
      // Another process may make it at the same time.
      if (error.code !== 'EEXIST') throw error;
    });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The new name is on the disk when the folder is. Where folders cannot be opened, the system sees to it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

export function sha256Of(contents: Uint8Array | string): string {
  return createHash('sha256').update(contents).digest('hex');
}

/** The hash of a file as it stands; undefined where it cannot be read. */
export async function sha256OfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../columnFiles/wholeFile.js';
import { StartupError } from '../contracts/errors.js';
import type { FileCounts } from '../intervalFiles/outgoing.js';
import type { ExportFile } from './exports.js';

/** What a file is that has been written whole. */
export interface WholeExport extends FileCounts {
  bytes: number;
  sha256: string;
}

/** What a file is called until it is whole. */
export const UNFINISHED = '.unfinished';

/**
 * Writes a file under a temporary name and renames it when it is whole and on the disk: a file by the name is whole.
 *
 * @param takesOver whether a temporary file that is there is one that a killed export has left.
 * @throws StartupError where it cannot be written, or another export writes it.
 */
export async function writeWhole(path: string, file: ExportFile, takesOver: boolean): Promise<WholeExport> {
  const temporary = `${path}${UNFINISHED}`;
  if (takesOver) await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new StartupError(
        `${temporary} is there: another export writes it, or one was killed. Remove it; in a folder --resume does.`,
      );
    throw unwritable(path, error);
  });
  // An interrupted command leaves by process.exit, which passes `catch` by.
  const removed = (): void => rmSync(temporary, { force: true });
  process.once('exit', removed);
  try {
    const whole = await write(handle, file);
    await handle.close();
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return whole;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  } finally {
    process.off('exit', removed);
  }
}

async function write(handle: FileHandle, { pieces, writer }: ExportFile): Promise<WholeExport> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    const data = typeof piece === 'string' ? Buffer.from(piece) : piece;
    hash.update(data);
    bytes += data.length;
    // Not `write`, which may write a part.
    await handle.writeFile(data);
  }
  await handle.sync();
  return { ...writer.tally.counts(), bytes, sha256: hash.digest('hex') };
}

/** The operating system's reason as a sentence; other errors as they are. */
export function unwritable(path: string, error: unknown): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  // A lost connection to Postgres has a system call too.
  if (syscall === undefined || /connect|read|getaddrinfo/.test(syscall)) return error;
  return new StartupError(`${path} cannot be written: ${message}.`, { cause: error });
}

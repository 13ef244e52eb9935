import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { ApiError } from '../contracts/errors.js';

/** Files that were sent to the API and are being read have such names. */
const NAME = /^gridlens-import-[0-9a-f-]{36}\.upload$/;
/** A file that nobody has touched for so long is one of a process that is gone. */
const FORSAKEN_MS = 10 * 60_000;
const TOUCH_EVERY_MS = 60_000;
/** So much is left free: a Postgres on the same disk would stop. */
const LEFT_FREE_BYTES = 64 * 2 ** 20;
/** Of a fast sender a write to the disk has about as much. */
const BUFFERED_BYTES = 2 ** 20;

/** What the disk or the folder says when a file cannot be kept. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const NO_FOLDER = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'EMFILE', 'ENFILE'];

/** A file that is kept for as long as it is read. */
export interface KeptUpload {
  path: string;
  sink: Writable;
  remove(): Promise<void>;
}

/**
 * Begins a file in the folder, which only this user may read.
 *
 * @param bytes as many as are told to come, 0 where that is not known.
 * @throws ApiError 507 where the folder has no room for it or cannot be used.
 */
export async function keepUpload(folder: string, bytes: number): Promise<KeptUpload> {
  await requireRoom(folder, bytes);
  const path = join(folder, `gridlens-import-${randomUUID()}.upload`);
  const sink = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: BUFFERED_BYTES });
  // A failure is told by whoever writes; one after that is nobody's.
  sink.on('error', () => undefined);
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS).unref();
  return {
    path,
    sink,
    async remove() {
      clearInterval(touching);
      sink.destroy();
      await rm(path, { force: true });
    },
  };
}

async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw asNoRoom(error);
  });
  if (bavail * bsize < bytes + LEFT_FREE_BYTES) throw noRoom();
}

/** Removes what processes have left that were killed while they read. Never fails: the folder may be anybody's. */
export async function removeForsaken(folder: string, now = Date.now()): Promise<number> {
  let removed = 0;
  for (const name of (await readdir(folder).catch(() => [])).filter((one) => NAME.test(one))) {
    const path = join(folder, name);
    const touched = await stat(path).catch(() => undefined);
    if (touched === undefined || now - touched.mtimeMs < FORSAKEN_MS) continue;
    await rm(path, { force: true }).then(
      () => {
        removed += 1;
      },
      () => undefined,
    );
  }
  return removed;
}

/** What a write to the folder failed with, as an answer; another error as it is. */
export function asNoRoom(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (NO_ROOM.includes(code)) return noRoom();
  if (!NO_FOLDER.includes(code)) return error;
  const message = `No file can be kept in the folder that IMPORT_FOLDER names (${code}): let the API write there, or set another one.`;
  return new ApiError(507, 'no_room', message);
}

function noRoom(): ApiError {
  return new ApiError(
    507,
    'no_room',
    'The disk of IMPORT_FOLDER has no room for the file: free some, or set another folder.',
  );
}

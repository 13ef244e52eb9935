import { open, stat } from 'node:fs/promises';
import { type FileBytes, UnreadableFileError } from '../intervalFiles/intervalFiles.js';

/** A file's parts, in any order. It is opened for each: a file that stays open would keep one for each of a folder. */
export async function bytesOf(path: string): Promise<FileBytes> {
  const { size } = await stat(path);
  return {
    byteLength: size,
    async slice(from, to = size) {
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(to - from), 0, to - from, from);
        if (bytesRead < to - from)
          throw new UnreadableFileError(undefined, 'it became shorter while it was read');
        return buffer.buffer;
      } finally {
        await file.close();
      }
    },
  };
}

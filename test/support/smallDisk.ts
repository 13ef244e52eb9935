import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** A small file system in memory, which a file fills up. */
export interface SmallDisk {
  folder: string;
  /** Leaves so many kB free. */
  fill(leftKb: number): Promise<void>;
  empty(): void;
  remove(): Promise<void>;
}

/** Why this machine has no small disk; undefined where it may have one. */
export async function noSmallDisk(): Promise<string | undefined> {
  try {
    await (await mountSmallDisk(1)).remove();
    return undefined;
  } catch {
    return 'nobody but root may mount a small disk';
  }
}

export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'gridlens-disk-'));
  const filler = join(folder, 'filler');
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', folder]).catch(
    (error) => {
      rmSync(folder, { recursive: true });
      throw error;
    },
  );
  return {
    folder,
    async fill(leftKb) {
      for (let tried = 1; ; tried += 1) {
        const { stdout } = await run('df', ['--output=avail', '-k', folder]);
        const free = Number(stdout.trim().split('\n').at(-1));
        try {
          await run('fallocate', ['-l', String(Math.max(1, free - leftKb) * 1024), filler]);
          return;
        } catch (error) {
          // Who writes to this disk has taken some of what was free since it was looked at.
          if (tried === 20) throw error;
        }
      }
    },
    empty: () => rmSync(filler),
    async remove() {
      // Lazily: a process that was killed may not have let go of its log yet.
      await run('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

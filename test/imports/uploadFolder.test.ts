import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepUpload, removeForsaken } from '../../src/imports/uploadFolder.js';

describe('the folder of files that are sent', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-uploads-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('keeps a file that only its owner reads, until it is removed', async () => {
    const kept = await keepUpload(folder, 0);
    kept.sink.end('abc');
    await new Promise((resolve) => kept.sink.once('close', resolve));
    expect((await stat(kept.path)).mode & 0o777).toBe(0o600);
    await kept.remove();
    await kept.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what nobody has touched for ten minutes, and nothing else', async () => {
    const old = new Date(Date.now() - 11 * 60_000);
    const name = (digit: string) => `gridlens-import-${digit.repeat(8)}-0000-0000-0000-000000000000.upload`;
    const files = {
      [name('1')]: old,
      [name('2')]: new Date(),
      'gridlens-import-x.upload': old,
      'mine.csv': old,
    };
    for (const [file, touched] of Object.entries(files)) {
      await writeFile(join(folder, file), 'x');
      await utimes(join(folder, file), touched, touched);
    }
    expect(await removeForsaken(folder)).toBe(1);
    expect((await readdir(folder)).toSorted()).toEqual(
      Object.keys(files)
        .toSorted()
        .filter((file) => file !== name('1')),
    );
    expect(await removeForsaken(join(folder, 'none'))).toBe(0);
  });

  it('says that there is no room, or no folder', async () => {
    await expect(keepUpload(folder, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      status: 507,
      code: 'no_room',
    });
    await expect(keepUpload(join(folder, 'none'), 0)).rejects.toThrow(/IMPORT_FOLDER names \(ENOENT\)/);
  });
});

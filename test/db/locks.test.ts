import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LOCKS } from '../../src/db/locks.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Text of all files under a folder, by path. */
async function textsUnder(folder: string): Promise<[string, string][]> {
  const files = (await readdir(join(ROOT, folder), { recursive: true })).filter((path) =>
    /\.(ts|sql)$/.test(path),
  );
  return Promise.all(
    files.map(async (path): Promise<[string, string]> => {
      const name = `${folder}/${path}`;
      return [name, await readFile(join(ROOT, name), 'utf8')];
    }),
  );
}

describe('the list of advisory locks', () => {
  it('has every key that SQL functions take', async () => {
    const keys = (await textsUnder('sql')).flatMap(([, text]) =>
      [...text.matchAll(/advisory\w*\(hashtextextended\('gridlens:([a-z-]+)/g)].map(([, key]) => key),
    );
    expect(keys.length).toBeGreaterThan(10);
    expect(Object.keys(LOCKS)).toEqual(expect.arrayContaining([...new Set(keys)]));
  });

  it('is the only place in src that takes one', async () => {
    const takers = (await textsUnder('src'))
      .filter(([, text]) => /pg_(try_)?advisory/.test(text))
      .map(([path]) => path);
    expect(takers).toEqual(['src/db/locks.ts']);
  });
});

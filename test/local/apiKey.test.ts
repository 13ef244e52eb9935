import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localApiKey } from '../../src/local/apiKey.js';
import { startFixture, temporaryFolder } from './fixtures/processes.js';

describe('local API key', () => {
  it('is made once and kept for the owner alone', async (test) => {
    const dataDir = join(await temporaryFolder(test), 'new', '.gridlens');
    const key = await localApiKey(dataDir);
    expect(key).toMatch(/^glk_[\w-]{43}$/);
    expect(await localApiKey(dataDir)).toBe(key);
    expect(await readFile(join(dataDir, 'api-key'), 'utf8')).toBe(`${key}\n`);
    expect((await stat(join(dataDir, 'api-key'))).mode & 0o777).toBe(0o600);
  });

  it('is the same for all who ask at the same moment', async (test) => {
    const dataDir = await temporaryFolder(test);
    const inThisProcess = Array.from({ length: 50 }, () => localApiKey(dataDir));
    expect(new Set(await Promise.all(inThisProcess)).size).toBe(1);
    expect(await readdir(dataDir)).toEqual(['api-key']);
  });

  it('is the same for processes that start at once', async (test) => {
    const dataDir = await temporaryFolder(test);
    const programs = Array.from({ length: 4 }, () => startFixture(test, 'apiKeyMain', [dataDir]));
    for (const program of programs) expect(await program.ended).toBe(0);
    const keys = new Set(programs.map((program) => program.output()));
    expect([...keys]).toEqual([await localApiKey(dataDir)]);
  });

  it('refuses a file without a key, and says what to do', async (test) => {
    const dataDir = await temporaryFolder(test);
    await writeFile(join(dataDir, 'api-key'), '\n');
    await expect(localApiKey(dataDir)).rejects.toThrow(/api-key is empty: delete it/);
  });
});

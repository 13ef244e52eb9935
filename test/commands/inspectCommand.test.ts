import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const sample = (name: string): string => `test/data/interval-files/${name}`;

/** One file of a report, as far as the tests look at it. */
interface Inspected {
  name: string;
  format?: string;
  refusal?: string;
  open?: string[];
  mapping?: string;
  report?: {
    reads: number;
    refused: number;
    byDay: { meterId: string; day: string; channel: string; kwh: string }[];
  };
}

describe('npm run inspect', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridlens-inspect-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const inspect = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...programArguments('commands/inspect'), ...args],
      { cwd: ROOT, env: { PATH: process.env.PATH ?? '' }, encoding: 'utf8' },
    );
    return { code: status, stdout, stderr };
  };
  const inspected = (...args: string[]): { code: number | null; files: Inspected[] } => {
    const { code, stdout } = inspect(...args, '--json');
    return { code, ...(JSON.parse(stdout) as { files: Inspected[] }) };
  };

  it('sums a NEM12 file by meter, day and channel, its days by its own clock', async () => {
    const { code, files } = inspected(sample('nem12-15min.csv'));
    expect(code).toBe(0);
    const totals = JSON.parse(await readFile(sample('totals.json'), 'utf8'))['nem12-15min.csv'];
    const days = files[0]?.report?.byDay ?? [];
    const consumed = days.filter(({ meterId, channel }) => meterId === 'NTEST00001' && channel === 'kwh');
    expect(files[0]?.format).toBe('nem12');
    expect(Object.fromEntries(consumed.map(({ day, kwh }) => [day, Number(kwh)]))).toEqual(
      Object.fromEntries(
        Object.entries(totals['NTEST00001 E1 (consumption)'].byDay).map(([day, kwh]) => [day, Number(kwh)]),
      ),
    );
  });

  it('proposes what a CSV file means, asks what it does not say, and counts once that is answered', async () => {
    const { code, files } = inspected(sample('long-interval-end-us.csv'));
    expect(code).toBe(1);
    expect(files[0]?.report).toBeUndefined();
    expect(files[0]?.open?.join()).toMatch(/zone/i);
    const mapping = join(folder, 'mapping.yaml');
    await writeFile(mapping, `${files[0]?.mapping}\nzone: America/New_York\n`);
    const answered = inspected(sample('long-interval-end-us.csv'), '--mapping', mapping);
    expect(answered.code).toBe(0);
    expect(answered.files[0]?.report?.refused).toBe(0);
    expect(answered.files[0]?.report?.reads).toBeGreaterThan(300);
  });

  it('reads what gzip holds, whatever the file is called', async () => {
    const path = join(folder, 'reads.pdf');
    await writeFile(path, gzipSync(await readFile(sample('greenbutton-15min-forward-reverse.xml'))));
    const { code, stdout } = inspect(path);
    expect(code).toBe(0);
    expect(stdout).toContain('reads.pdf: Green Button XML (ESPI)');
    expect(stdout).toContain('392 reads of 1 meter; 0 rows refused.');
  });

  it('refuses what is no interval file, and goes on with the next', async () => {
    const path = join(folder, 'page.csv');
    await writeFile(path, '<!doctype html><html></html>');
    const { code, files } = inspected(path, sample('nem12-5min.csv'));
    expect(code).toBe(1);
    expect(files.map(({ refusal }) => refusal)).toEqual([expect.stringContaining('web page'), undefined]);
    expect(files[1]?.report?.reads).toBeGreaterThan(0);
  });

  it.each([
    [['/nowhere/file.csv'], '/nowhere/file.csv cannot be read (ENOENT)'],
    [[], 'Name at least one file.'],
    [[sample('nem12-5min.csv'), '--zone', 'Mars/Olympus'], '--zone Mars/Olympus is no time zone'],
    [[sample('nem12-5min.csv'), '--mapping', sample('nem12-5min.csv')], 'The mapping'],
  ])('says in a sentence what is wrong: %j', (args, sentence) => {
    const { code, stdout, stderr } = inspect(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

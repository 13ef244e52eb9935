import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportManifest } from '../../src/exports/dayFiles.js';
import { readBack } from '../intervalFiles/outgoing.js';
import { programArguments } from '../support/compiledSources.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run export', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'gridlens-export-'));
    for (const day of [1, 2, 3, 4])
      await database.pool.query(`SELECT ami_ensure_read_partition('2026-03-0${day}')`);
    await database.pool.query(`INSERT INTO meter_reads_electric (tenant_id, meter_id, feeder_id, read_at, kwh, voltage)
      SELECT 'T', 'M-' || n, 'F' || n % 2, at, n / 8.0, 120 FROM generate_series(1, 4) AS n,
        generate_series('2026-03-01T00:00Z'::timestamptz, '2026-03-04T23:59Z', '15 min') AS at`);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const SPAN = ['--tenant', 'T', '--from', '2026-03-01', '--to', '2026-03-03'];
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [...programArguments('commands/export'), ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = async (...args: string[]) => {
    const child = start(...args);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    await once(child, 'close');
    return { code: child.exitCode, ...text };
  };
  const manifestOf = async (out: string): Promise<ExportManifest> =>
    JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  const sha256 = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');

  it('writes a file for each day, with counts, sums and hashes, and says what the format does not have', async () => {
    const out = join(folder, 'wide');
    const { code, stdout } = await run(...SPAN, '--format', 'csv-wide', '--out', `${out}/`);
    expect(code).toBe(0);
    expect(stdout).toBe(`Exported T to ${out}, 3 days: 1,152 values.

Not in the file, since the format has no place for them:
  1,152 feeders
  1,152 voltages
`);
    expect((await readdir(out)).toSorted()).toEqual([
      '2026-03-01.csv',
      '2026-03-02.csv',
      '2026-03-03.csv',
      'manifest.json',
    ]);
    const { days, asked } = await manifestOf(out);
    expect(asked).toMatchObject({
      tenantId: 'T',
      format: 'csv-wide',
      zone: 'UTC',
      from: '2026-03-01',
      to: '2026-03-03',
    });
    for (const day of days) {
      expect(day).toMatchObject({
        reads: 384,
        kwh: '120',
        left: {},
        notCarried: { feederId: 384, voltage: 384 },
      });
      const path = join(out, day.file);
      expect([day.sha256, day.bytes]).toEqual([await sha256(path), (await stat(path)).size]);
      expect((await readBack(await readFile(path, 'utf8'))).reads).toHaveLength(384);
    }
  });

  it('goes on at the first day that lacks: without file, with another, or left unfinished by a kill', async () => {
    const out = join(folder, 'resumed');
    const asked = [...SPAN, '--format', 'csv', '--out', out];
    expect((await run(...asked)).code).toBe(0);
    const whole = await manifestOf(out);
    const times = async () => (await stat(join(out, '2026-03-01.csv'))).mtimeMs;
    const first = await times();

    const again = await run(...asked);
    expect([again.code, again.stderr]).toEqual([
      1,
      `${out} holds an export: go on with it by --resume, or name another folder.\n`,
    ]);
    await rm(join(out, '2026-03-02.csv'));
    await writeFile(join(out, '2026-03-03.csv'), 'cut');
    await writeFile(join(out, '2026-03-02.csv.unfinished'), 'left by a kill');
    await writeFile(join(out, 'manifest.json.unfinished'), 'left by a kill');
    const resumed = await run(...asked, '--resume', '--json');
    expect(JSON.parse(resumed.stdout)).toMatchObject({ written: 2 });
    expect((await manifestOf(out)).days).toEqual(whole.days);
    expect(await times()).toBe(first);
    expect((await readdir(out)).filter((name) => name.includes('unfinished'))).toEqual([]);
    expect((await run(...asked, '--resume')).stdout).toContain('0 days and 3 that were there: 1,152 values.');
    // A later last day goes on; anything else is another export.
    const longer = await run(
      ...asked.map((word) => (word === '2026-03-03' ? '2026-03-04' : word)),
      '--resume',
      '--json',
    );
    expect(JSON.parse(longer.stdout)).toMatchObject({ written: 1 });
    const other = await run(...asked, '--resume', '--zone', 'Europe/Berlin');
    expect(other.stderr).toContain(`${out} holds an export of another zone, "UTC"`);
    expect((await run(...asked, '--resume')).stderr).toContain('holds an export to 2026-03-04');
  });

  it('is ended by a kill with whole files and a true manifest, and goes on from there', async () => {
    const out = join(folder, 'killed');
    await database.pool.query(
      `SELECT ami_ensure_read_partition(day::date) FROM generate_series('2026-01-01'::date, '2026-02-28', '1 day') AS day`,
    );
    const asked = [
      '--tenant',
      'T',
      '--from',
      '2026-01-01',
      '--to',
      '2026-03-04',
      '--format',
      'csv',
      '--out',
      out,
    ];
    const child = start(...asked);
    await waitFor('a few days', async () => (await readdir(out).catch(() => [])).length > 5);
    child.kill('SIGKILL');
    await once(child, 'close');
    const before = await manifestOf(out);
    expect(before.days.length).toBeGreaterThan(0);
    for (const { file, sha256: hash } of before.days) expect(await sha256(join(out, file))).toBe(hash);
    const resumed = await run(...asked, '--resume', '--json');
    expect(resumed.code).toBe(0);
    const { days } = await manifestOf(out);
    expect(days).toHaveLength(63);
    expect(days.reduce((sum, { reads }) => sum + reads, 0)).toBe(1_536);
    expect((await readdir(out)).length).toBe(64);
  });

  it('is interrupted without a trace of the file that was not whole', async () => {
    const out = join(folder, 'interrupted.csv');
    const locked = new pg.Client({ connectionString: database.url });
    await locked.connect();
    await locked.query('BEGIN; LOCK TABLE meter_reads_electric IN ACCESS EXCLUSIVE MODE');
    const child = start(
      '--tenant',
      'T',
      '--from',
      '2026-01-01',
      '--to',
      '2026-03-04',
      '--format',
      'csv',
      '--out',
      out,
    );
    await waitFor('the file', async () => (await readdir(folder)).includes('interrupted.csv.unfinished'));
    child.kill('SIGINT');
    await once(child, 'close');
    await locked.end();
    expect(child.exitCode).toBe(130);
    expect((await readdir(folder)).filter((name) => name.startsWith('interrupted'))).toEqual([]);
  });

  it('writes all days into one file by a name with a dot, of the meters or the feeder that are named', async () => {
    for (const [option, value, reads] of [
      ['--meters', 'M-1,M-3', 576],
      ['--feeder', 'F0', 576],
      ['--quality', 'estimated', 0],
    ] as const) {
      const file = join(folder, `one${option}.xml`);
      const { code, stdout } = await run(
        ...SPAN,
        '--format',
        'green-button',
        option,
        value,
        '--out',
        file,
        '--json',
      );
      expect([code, JSON.parse(stdout).reads]).toEqual([0, reads]);
      expect((await readBack(await readFile(file, 'utf8'))).reads).toHaveLength(reads);
    }
  });

  it.each([
    [['--tenant', 'T'], 'Say --from, for example --from 2026-01-01.'],
    [[...SPAN, '--out', 'x'], 'Say --format, for example --format csv.'],
    [
      [...SPAN, '--format', 'csv'],
      'Say where to: --out FOLDER/ for a file a day, or --out FILE for all in one.',
    ],
    [
      [...SPAN, '--format', 'csv', '--out', 'a.csv', '--resume'],
      '--resume goes with a folder, where each day is a file.',
    ],
    [
      [...SPAN, '--format', 'pdf', '--out', 'x'],
      '--format must be one of csv, csv-wide, green-button, nem12',
    ],
    [
      [...SPAN, '--format', 'csv', '--out', 'x', '--to', '2026-02-30'],
      '--to must be a day, for example "2026-01-31".',
    ],
    [[...SPAN, '--format', 'csv', '--out', 'x', '--zone', 'Nowhere'], '--zone must be a time zone'],
    [
      [...SPAN, '--format', 'csv', '--out', 'x', '--meters', 'NO'],
      '--meters must have reads: tenant T has none of a meter NO.',
    ],
    [
      [...SPAN, '--format', 'csv', '--out', 'x', '--feeder', 'NO'],
      '--feeder must have reads: tenant T has none of a feeder NO.',
    ],
    [[...SPAN, '--format', 'csv', '--out', '/proc/nothing/x/'], '/proc/nothing/x cannot be written'],
    [[...SPAN, '--format', 'csv', '--out', 'package.json/x'], 'package.json/x cannot be written'],
  ])('refuses %j, and writes nothing', async (args, sentence) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')[0]).toContain(sentence);
    expect(await readdir(ROOT)).not.toContain('x');
  });
});

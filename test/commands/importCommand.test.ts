import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programArguments } from '../support/compiledSources.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** All that a file of this sender does not say. */
const MAPPING = `layout: long
delimiter: ";"
decimalMark: ","
meterColumn: Zaehler
timestampColumn: Zeit
dateOrder: dmy
zone: Europe/Berlin
stamp: end
repeatedHour: refuse
minutes: 15
values:
  - column: Menge
    channel: kwh
    unit: kWh
`;
/** The hour from 0 to 1 of 3 April by local time: days and months could be either. */
const FILE = `Zaehler;Zeit;Menge
M-1;03.04.2026 00:15;0,250
M-1;03.04.2026 00:30;0,125
`;

describe('npm run import with a mapping that was saved', () => {
  let database: TestDatabase;
  let folder: string;
  let file: string;
  let mapping: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'gridlens-import-command-'));
    file = join(folder, 'reads.csv');
    mapping = join(folder, 'sender.yaml');
    await writeFile(file, FILE);
    await writeFile(mapping, MAPPING);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const run = (...args: string[]) => runFor('T', ...args);
  const runFor = async (tenantId: string, ...args: string[]) => {
    const child = spawn(
      process.execPath,
      [...programArguments('commands/import'), file, '--tenant', tenantId, '--no-wait', ...args],
      {
        cwd: ROOT,
        env: { PATH: process.env.PATH ?? '', DATABASE_URL: database.url },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    await once(child, 'close');
    return { code: child.exitCode, ...text };
  };
  const register = ['--register', '--feeder', 'F1'];
  const saved = async () =>
    (await database.pool.query('SELECT name, mapping FROM ami_import_mappings ORDER BY 1')).rows;

  it('asks for what the file does not say, and refuses a name that nobody has saved', async () => {
    const asked = await run(...register, '--dry-run');
    expect(asked.code).toBe(1);
    const unknown = await run('--mapping', 'sender', ...register);
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain(
      'No mapping sender is saved for tenant T: save one with --mapping FILE.yaml --save-mapping sender, or name the file as ./sender.',
    );
    expect(await saved()).toEqual([]);
  });

  it('saves it under a name with a file that it is used for, and not on a dry run', async () => {
    expect((await run('--mapping', mapping, '--save-mapping', 'sender', ...register, '--dry-run')).code).toBe(
      0,
    );
    expect(await saved()).toEqual([]);
    expect((await run('--mapping', mapping, '--save-mapping', 'sender', ...register)).code).toBe(0);
    expect(await saved()).toEqual([{ name: 'sender', mapping: MAPPING }]);
  });

  it('takes by the name what it takes by the file, in the tenant that saved it alone', async () => {
    await writeFile(file, FILE.replaceAll('M-1', 'M-2'));
    const { code, stdout } = await run('--mapping', 'sender', ...register, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).files).toMatchObject([{ format: 'csv' }]);
    const { rows } = await database.pool.query(
      `SELECT meter_id, read_at, minutes, kwh::text FROM ami_import_values WHERE meter_id = 'M-2' ORDER BY read_at`,
    );
    expect(rows).toEqual([
      { meter_id: 'M-2', read_at: new Date('2026-04-02T22:00:00Z'), minutes: 15, kwh: '0.25' },
      { meter_id: 'M-2', read_at: new Date('2026-04-02T22:15:00Z'), minutes: 15, kwh: '0.125' },
    ]);
    const other = await runFor('U', '--mapping', 'sender', ...register);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('is saved for tenant U')]);
  });

  it('takes a name with a dot or a slash for a file', async () => {
    const { code, stderr } = await run('--mapping', './sender', ...register);
    expect([code, stderr]).toEqual([1, expect.stringContaining('sender')]);
    expect(stderr).not.toContain('is saved for tenant');
  });

  it.each([
    [['--mapping', 'sender', '--save-mapping', 'again'], '--save-mapping goes with --mapping FILE.yaml'],
    [['--save-mapping', 'no good name'], '--save-mapping'],
  ])('%j is refused by a sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await run(...args, ...register);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(sentence);
  });
});

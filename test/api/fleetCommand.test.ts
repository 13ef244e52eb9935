import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownMapping } from '../../src/schema/ownMapping.js';
import { synthesizeFleet } from '../../src/services/fleetSynthesize.js';
import { createOwnRegistry, fleetFolder } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { registry } = ownMapping('public');

describe('npm run fleet', () => {
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof fleetFolder>>;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await fleetFolder();
    await createOwnRegistry(database.pool);
  });
  afterAll(async () => {
    await database.drop();
    await folder.remove();
  });

  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', 'src/fleet.ts', ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const fleet = async (...args: string[]) => {
    const child = start(...args);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (chunk) => {
        text[name] += chunk;
      });
    }
    await once(child, 'close');
    return { code: child.exitCode, ...text };
  };

  it('loads a file, says what it did, and exports the same file again', async () => {
    const content =
      'meter_id,feeder_id,feeder_name,is_active\nM1,F1,North,true\nM2,F1,North,false\nM3,F2,,true\nM4,,,true\n';
    const path = await folder.file(content);
    expect(await fleet('load', path, '--tenant', 'T', '--dry-run')).toEqual({
      code: 0,
      stderr: '',
      stdout: `Would load ${path} for T into public.meters and public.feeders:

  meters   4 added, 0 updated, 0 unchanged
  feeders  2 added, 0 updated

  1 of these meters is on no feeder: a publish leaves it out.
  Meters that are not named here stay as they are.
`,
    });
    expect((await fleet('load', path, '--tenant', 'T')).stdout).toContain('Loaded');
    expect((await fleet('load', path, '--tenant', 'T')).stdout).toContain('0 added, 0 updated, 4 unchanged');
    expect(await fleet('export', '--tenant', 'T')).toEqual({ code: 0, stderr: '', stdout: content });

    const out = folder.path('out.csv');
    await writeFile(out, 'what was there before');
    const exported = await fleet('export', '--tenant', 'T', '--out', out);
    expect(exported).toEqual({ code: 0, stderr: '', stdout: `Exported 4 meters of T to ${out}.\n` });
    expect(await readFile(out, 'utf8')).toBe(content);
    expect((await readdir(folder.path('.'))).sort()).toEqual(['fleet.csv', 'out.csv']);
  });

  it('ends with 1 and every error of the file on stderr, and writes nothing', async () => {
    const path = await folder.file('meter_id,feeder_id\nM8,F1\nM8,F2\n,F1\n');
    expect(await fleet('load', path, '--tenant', 'BAD')).toEqual({
      code: 1,
      stdout: '',
      stderr: `fleet.csv was not loaded, and nothing was written, for 2 errors in it:
  line 3, meter_id puts meter "M8" on feeder "F2", but it is on feeder "F1" in line 2.
  line 4, meter_id is empty: every line names a meter.
`,
    });
    const out = folder.path('none.csv');
    const refused = await fleet('export', '--tenant', 'BAD', '--out', out);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Tenant BAD has no meters') });
    expect(await readdir(folder.path('.'))).not.toContain('none.csv');
  });

  it('fills the registry with the synthetic fleet, and ends quietly when its reader has seen enough', async () => {
    const first = await fleet('synthesize', '--tenant', 'LARGE', '--meters', '25000', '--feeders', '40');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(
      '  meters   25,000 added, 0 updated, 0 unchanged\n  feeders  40 added, 0 updated',
    );

    const child = start('export', '--tenant', 'LARGE');
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const closed = once(child, 'close');
    let seen = '';
    for await (const chunk of child.stdout ?? []) {
      seen += chunk;
      if (seen.length > 1_000) break; // Which closes the pipe, as `head` does.
    }
    await closed;
    expect(seen).toContain('meter_id,feeder_id,feeder_name,is_active\nLARGE-MTR-00001,FEEDER_1,,true\n');
    expect(seen.length).toBeLessThan(500_000);
    expect({ code: child.exitCode, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    [[], ''],
    [['unload'], 'There is no npm run fleet -- unload.\n\n'],
    [['load', '--tenant', 'T'], 'Name one file to load.\n\n'],
    [['load', 'a.csv', 'b.csv', '--tenant', 'T'], 'Name one file to load.\n\n'],
    [['load', 'a.csv', '--meters', '5'], '--meters does not go with load.\n\n'],
    [['export'], 'Name the tenant: --tenant DEMO_TENANT.\n\n'],
    [['export', '--tenant', 'a b'], '--tenant must be 1 to 64 letters, digits, ".", "_" or "-".\n\n'],
  ])('shows its usage for %j', async (args, reason) => {
    const { code, stdout, stderr } = await fleet(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(`${reason}npm run fleet -- load FILE.csv --tenant T [--dry-run]\n`)).toBe(true);
  });

  it('synthesizes again without a change, grows without moving a meter, and refuses to move one', async () => {
    const synthesize = (meterCount: number, feederCount: number) =>
      synthesizeFleet(database.pool, registry, 'S', { meterCount, feederCount });
    expect((await synthesize(500, 25)).meters).toMatchObject({ added: 500, updated: 0 });
    expect((await synthesize(500, 25)).meters).toMatchObject({ added: 0, updated: 0, unchanged: 500 });
    expect((await synthesize(600, 25)).meters).toMatchObject({ added: 100, updated: 0, unchanged: 500 });
    await expect(synthesize(700, 30)).rejects.toThrow(
      '500 meters of tenant S would move to another feeder: use the same --feeders as before.',
    );
    const { rows } = await database.pool.query(
      `SELECT feeder_id, count(*)::integer AS meters FROM meters WHERE tenant_id = 'S' GROUP BY 1`,
    );
    expect(rows).toHaveLength(25);
    expect(new Set(rows.map(({ meters }) => meters))).toEqual(new Set([24]));
    expect((await database.pool.query(`SELECT FROM feeders WHERE tenant_id = 'S'`)).rowCount).toBe(25);
  });

  it('refuses to synthesize more or fewer than a publish may have', async () => {
    const synthesize = (meterCount: number, feederCount: number) =>
      synthesizeFleet(database.pool, registry, 'S', { meterCount, feederCount });
    await expect(synthesize(25_001, 25)).rejects.toThrow('--meters must be a whole number from 1 to 25,000');
    await expect(synthesize(Number.NaN, 25)).rejects.toThrow('--meters must be');
    await expect(synthesize(500, 9)).rejects.toThrow('--feeders must be a whole number from 10 to 40');
    await expect(synthesize(500, 41)).rejects.toThrow('--feeders must be');
  });
});

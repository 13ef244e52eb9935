import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesizeFleet } from '../../src/registry/file/synthesizeFleet.js';
import { ownMapping } from '../../src/schema/detect/ownMapping.js';
import { programArguments } from '../support/compiledSources.js';
import { createOwnRegistry, fleetFolder } from '../support/fleetRegistry.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

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
    spawn(process.execPath, [...programArguments('commands/fleet'), ...args], {
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
  The registry has no other meter in service.
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
    ['export', 'SIGINT', 130],
    ['load', 'SIGTERM', 143],
  ] as const)(
    'has failed when its %s is interrupted, and leaves nothing behind',
    async (action, signal, code) => {
      await synthesizeFleet(database.pool, registry, 'CUT', { meterCount: 25_000, feederCount: 40 });
      const content = 'meter_id,feeder_id\nNEW,F1\n';
      const path = await folder.file(action === 'load' ? content : 'as it was', 'cut.csv');
      const before = await readdir(folder.path('.'));
      const lock = await database.pool.connect();
      await lock.query('BEGIN; LOCK TABLE meters IN ACCESS EXCLUSIVE MODE');
      const child = start(
        ...(action === 'load' ? ['load', path] : ['export', '--out', path]),
        '--tenant',
        'CUT',
      );
      let stderr = '';
      child.stderr?.on('data', (chunk) => {
        stderr += chunk;
      });
      const closed = once(child, 'close');
      await waitFor('its statement to wait', async () => {
        const { rows } = await database.pool.query(
          `SELECT FROM pg_stat_activity WHERE application_name = 'gridlens-fleet' AND wait_event_type = 'Lock'
           AND datname = current_database()`,
        );
        return rows.length > 0;
      });
      child.kill(signal);
      await closed;
      await lock.query('ROLLBACK');
      lock.release();
      expect({ code: child.exitCode, stderr }).toEqual({
        code,
        stderr: `GridLens was interrupted before it was done (${signal}); run it again to finish.\n`,
      });
      expect(await readdir(folder.path('.'))).toEqual(before);
      expect(await readFile(path, 'utf8')).toBe(action === 'load' ? content : 'as it was');
    },
  );

  it('removes the unfinished file when it is interrupted while it writes', async () => {
    await synthesizeFleet(database.pool, registry, 'CUT', { meterCount: 25_000, feederCount: 40 });
    await database.pool.query(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id)
       SELECT 'CUT', 'MORE-' || n, 'FEEDER_1' FROM generate_series(1, 300000) n`,
    );
    const before = await readdir(folder.path('.'));
    const child = start('export', '--tenant', 'CUT', '--out', folder.path('half.csv'));
    const closed = once(child, 'close');
    await waitFor('the unfinished file', async () =>
      (await readdir(folder.path('.'))).some((name) => name.endsWith('.unfinished')),
    );
    child.kill('SIGTERM');
    await closed;
    expect(child.exitCode).toBe(143);
    expect(await readdir(folder.path('.'))).toEqual(before);
    await database.pool.query(`DELETE FROM meters WHERE tenant_id = 'CUT'`);
  });

  describe('an export to a path that is there', () => {
    const CONTENT = 'meter_id,feeder_id,feeder_name,is_active\nM1,F1,,true\n';
    beforeAll(async () => {
      await fleet('load', await folder.file('meter_id,feeder_id\nM1,F1\n'), '--tenant', 'OUT');
    });
    const exportTo = (path: string) => fleet('export', '--tenant', 'OUT', '--out', path);

    it('keeps the mode of a file', async () => {
      const path = await folder.file('before', 'mode.csv');
      await chmod(path, 0o606);
      expect((await exportTo(path)).code).toBe(0);
      expect((await stat(path)).mode & 0o777).toBe(0o606);
      expect(await readFile(path, 'utf8')).toBe(CONTENT);
    });

    it('replaces the target of a link, there or not, and not the link', async () => {
      const target = await folder.file('before', 'target.csv');
      for (const [name, to] of [
        ['link.csv', target],
        ['dangling.csv', 'made.csv'],
      ] as const) {
        const link = folder.path(name);
        await symlink(to, link);
        expect((await exportTo(link)).code).toBe(0);
        expect((await lstat(link)).isSymbolicLink()).toBe(true);
        expect(await readFile(link, 'utf8')).toBe(CONTENT);
      }
      expect(await readFile(target, 'utf8')).toBe(CONTENT);
      expect(await readFile(folder.path('made.csv'), 'utf8')).toBe(CONTENT);
    });

    it('writes to a pipe and to a device as they are', async () => {
      const pipe = folder.path('pipe');
      execFileSync('mkfifo', [pipe]);
      const [text, { code }] = await Promise.all([readFile(pipe, 'utf8'), exportTo(pipe)]);
      expect({ text, code }).toEqual({ text: CONTENT, code: 0 });
      expect((await lstat(pipe)).isFIFO()).toBe(true);
      expect(await exportTo('/dev/null')).toMatchObject({ code: 0, stderr: '' });
      expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
    });

    it('says in a sentence what cannot be written', async () => {
      const full = 'cannot be written: ENOSPC: no space left on device, write.\n';
      expect(await exportTo('/dev/full')).toMatchObject({ code: 1, stderr: `/dev/full ${full}` });
      const folderItself = await exportTo(folder.path('.'));
      expect(folderItself).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('cannot be written: EISDIR'),
      });
      const device = await open('/dev/full', 'w');
      const child = spawn(
        process.execPath,
        [...programArguments('commands/fleet'), 'export', '--tenant', 'OUT'],
        {
          cwd: ROOT,
          env: { PATH: process.env.PATH ?? '', DATABASE_URL: database.url },
          stdio: ['ignore', device.fd, 'pipe'],
        },
      );
      let stderr = '';
      child.stderr?.on('data', (chunk) => {
        stderr += chunk;
      });
      await once(child, 'close');
      await device.close();
      expect({ code: child.exitCode, stderr }).toEqual({ code: 1, stderr: `stdout ${full}` });
    });
  });

  it('leaves out of an export what a load refuses, and says how much', async () => {
    await database.pool.query(
      `INSERT INTO feeders (tenant_id, feeder_id, name) VALUES ('ODD', 'F1', E'two\nlines'), ('ODD', E'F\t2', 'South')`,
    );
    await database.pool.query(
      `INSERT INTO meters (tenant_id, meter_id, feeder_id) VALUES ('ODD', 'M1', 'F1'), ('ODD', '', 'F1'),
         ('ODD', E'M\n2', 'F1'), ('ODD', 'M3', E'F\t2'), ('ODD', '4.7E+12', NULL), ('ODD', 'M5', NULL)`,
    );
    const out = folder.path('odd.csv');
    expect(await fleet('export', '--tenant', 'ODD', '--out', out)).toEqual({
      code: 0,
      stdout: `Exported 2 meters of ODD to ${out}.\n`,
      stderr:
        'Left out 4 meters: their ids or their feeders’ ids cannot be loaded again (empty, only blanks, too long, with a line break or a character that does not show, or a word such as NULL).\n' +
        'Left out the name of one feeder, which cannot be loaded again for the like reasons.\n',
    });
    const again = await fleet('load', out, '--tenant', 'ODD');
    expect(again.stdout).toContain('0 added, 0 updated, 2 unchanged');
  });

  it('takes relative paths from where npm was called', async () => {
    const path = await folder.file('meter_id,feeder_id\nM1,F1\n', 'relative.csv');
    const environment = {
      PATH: process.env.PATH ?? '',
      DATABASE_URL: database.url,
      INIT_CWD: folder.path('.'),
      npm_lifecycle_event: 'fleet',
    };
    const run = (env: Record<string, string>, ...args: string[]) =>
      spawnSync(process.execPath, [...programArguments('commands/fleet'), ...args, '--tenant', 'REL'], {
        cwd: ROOT,
        env,
        encoding: 'utf8',
      });
    const loaded = run(environment, 'load', 'relative.csv');
    expect(loaded.stderr).toBe('');
    expect(loaded.stdout).toContain(`Loaded ${path} for REL`);
    expect(run(environment, 'export', '--out', 'again.csv').status).toBe(0);
    expect(await readFile(folder.path('again.csv'), 'utf8')).toContain('M1,F1,,true');
    const other = run({ ...environment, npm_lifecycle_event: 'other' }, 'load', 'relative.csv');
    expect(other.stderr).toBe('relative.csv cannot be read: there is no such file.\n');
  });

  it.each([
    [[], ''],
    [['unload'], 'There is no npm run fleet -- unload.\n\n'],
    [['load', '--tenant', 'T'], 'Name one file to load.\n\n'],
    [['load', 'a.csv', 'b.csv', '--tenant', 'T'], 'Name one file to load.\n\n'],
    [['load', 'a.csv', '--meters', '5'], '--meters does not go with load.\n\n'],
    [['export', '--tenant', 'T', '--out='], 'Name the file to write: --out FILE.csv.\n\n'],
    [
      ['load', 'a.csv', '--map', 'meter=x'],
      '--map takes COLUMN=NAME, where COLUMN is one of meter_id, feeder_id, feeder_name, is_active, tenant_id; not meter=x.\n\n',
    ],
    [['load', 'a.csv', '--status', 'x=maybe'], '--status takes WORD=true or WORD=false, not x=maybe.\n\n'],
    [['export', '--tenant', 'T', '--retire'], '--retire does not go with export.\n\n'],
    [['export'], 'Name the tenant: --tenant DEMO_TENANT.\n\n'],
    [['export', '--tenant', 'a b'], '--tenant must be 1 to 64 letters, digits, ".", "_" or "-".\n\n'],
  ])('shows its usage for %j', async (args, reason) => {
    const { code, stdout, stderr } = await fleet(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(`${reason}npm run fleet -- load FILE.csv --tenant T [--dry-run] [--map`)).toBe(
      true,
    );
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

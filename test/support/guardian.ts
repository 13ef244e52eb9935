import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a run's processes note themselves for its guardian: the forks of vitest inherit the environment. */
const RUN_FOLDER = 'TEST_RUN_FOLDER';

/**
 * Waits for its standard input to end, which happens however the run ends, by SIGKILL too. A line before that says
 * that all has been put away. Otherwise: ends the servers whose process files stand in the folder, again for half a
 * second, since one may just be starting; then removes the folders.
 */
const PROGRAM = `
const { existsSync, readdirSync, readFileSync, rmSync, statSync } = require('node:fs');
const { join } = require('node:path');
const [runFolder, ...others] = process.argv.slice(1);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const send = (pid, signal) => {
  try { return process.kill(pid, signal); } catch (error) { return error.code === 'EPERM'; }
};
const servers = () => {
  if (!existsSync(runFolder)) return [];
  const files = readdirSync(runFolder).flatMap((name) => {
    const folder = join(runFolder, name);
    const noted = existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : [];
    return [
      { file: join(folder, 'postgres/postmaster.pid'), signal: 'SIGQUIT' },
      ...noted.filter((one) => one.endsWith('.pid')).map((one) => ({
        file: join(folder, one), signal: name === 'processes' ? 'SIGKILL' : 'SIGTERM',
      })),
    ];
  });
  return files.filter(({ file }) => existsSync(file)).map(({ file, signal }) => ({
    pid: Number(readFileSync(file, 'utf8').split('\\n')[0]), signal,
  })).filter(({ pid }) => pid > 0);
};
let isOver = false;
process.stdin.on('data', () => { isOver = true; });
process.stdin.on('end', async () => {
  if (isOver) return;
  const seen = new Set();
  for (let quiet = 0; quiet < 5; quiet += 1) {
    for (const { pid, signal } of servers()) {
      if (seen.has(pid) || !send(pid, 0)) continue;
      seen.add(pid);
      send(pid, 'SIGCONT');
      send(pid, signal);
      quiet = 0;
    }
    await sleep(100);
  }
  for (let i = 0; i < 100 && [...seen].some((pid) => send(pid, 0)); i += 1) await sleep(100);
  for (const pid of seen) send(pid, 'SIGKILL');
  for (const folder of [runFolder, ...others]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
`;

/**
 * Ends servers that outlive the run that started them: Postgres has a session of its own, and a run that is killed
 * does not put anything away.
 *
 * @param runFolder in which each server has a folder of its own.
 * @param others folders to remove as well.
 */
export function guardServers(runFolder: string, others: readonly string[]): { release(): void } {
  process.env[RUN_FOLDER] = runFolder;
  const guardian = spawn(process.execPath, ['-e', PROGRAM, runFolder, ...others], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guardian.unref();
  // A run that has gone on to its end must not wait for its guardian; the types leave unref out.
  (guardian.stdin as unknown as { unref(): void }).unref();
  return {
    release() {
      guardian.stdin.end('released\n');
    },
  };
}

/** Has the run's guardian end a process of the product too, which would go on without a reader of its output. */
export function noteForGuardian(child: ChildProcess): void {
  const runFolder = process.env[RUN_FOLDER];
  if (runFolder === undefined || child.pid === undefined) return;
  const folder = join(runFolder, 'processes');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${child.pid}.pid`);
  writeFileSync(file, String(child.pid));
  child.once('exit', () => rmSync(file, { force: true }));
}

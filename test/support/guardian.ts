import { spawn } from 'node:child_process';

/**
 * Waits for its standard input to end, which happens however the run ends, by SIGKILL too. A line before that says
 * that all has been put away. Otherwise: ends the servers whose process files stand in the folder, again for half a
 * second, since one may just be starting; then removes the folders.
 */
const PROGRAM = `
const { existsSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const [runFolder, ...others] = process.argv.slice(1);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const send = (pid, signal) => {
  try { return process.kill(pid, signal); } catch (error) { return error.code === 'EPERM'; }
};
const servers = () => {
  if (!existsSync(runFolder)) return [];
  const files = readdirSync(runFolder).flatMap((name) => [
    { file: join(runFolder, name, 'postgres/postmaster.pid'), signal: 'SIGQUIT' },
    { file: join(runFolder, name, 'redis.pid'), signal: 'SIGTERM' },
    { file: join(runFolder, name, 'pgbouncer.pid'), signal: 'SIGTERM' },
  ]);
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

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A run of one small file, with a temporary folder of its own, in which its servers work. */
function startRun(folder: string): ChildProcess {
  const { REDIS_URL: _given, TEST_COMPILED_FOLDER: _ours, ...environment } = process.env;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const file = 'test/db/db.test.ts';
  return spawn(process.execPath, [vitest, 'run', '--config', 'config/vitest.config.ts', file], {
    cwd: ROOT,
    env: { ...environment, TMPDIR: folder },
    stdio: 'ignore',
  });
}

/** The process of the run's Postgres, once it takes connections. */
async function postmasterOf(folder: string): Promise<number | undefined> {
  // initdb's files come and go while they are listed.
  const places = await readdir(folder, { recursive: true }).catch(() => []);
  const found = places.find((place) => place.endsWith('postmaster.pid'));
  if (found === undefined) return undefined;
  const lines = await readFile(join(folder, found), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  return lines.some((line) => line.trim() === 'ready') ? Number(lines[0]) : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a test run that is stopped in the middle', () => {
  it.concurrent.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'F8: leaves no server and no folder behind after %s',
    async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'gridlens-run-'));
      await chmod(folder, 0o755); // Postgres may run as another user.
      const run = startRun(folder);
      const ended = once(run, 'exit');
      try {
        const postmaster = await waitFor('its Postgres', () => postmasterOf(folder));
        run.kill(signal);
        await ended;
        await waitFor('the end of its Postgres', async () => !isRunning(postmaster));
        await waitFor('its folders to go', async () => (await readdir(folder)).length === 0);
        expect(isRunning(postmaster)).toBe(false);
      } finally {
        run.kill('SIGKILL');
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});

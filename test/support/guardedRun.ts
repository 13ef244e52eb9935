import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPILED_FOLDER, compileSources, makeCompiledFolder } from './compiledSources.js';
import { guardServers } from './guardian.js';

/**
 * For a command that starts servers: everything is made in one folder, and a guardian ends what is left in there however
 * the command ends, by SIGKILL too. Its processes run bundled: each takes a fifth of the CPU to start.
 *
 * @param onSignal puts away in order what it can when the command is told to stop. `timeout` and npm both send the same
 * signal to a whole group of processes, so that it comes twice: the second one changes nothing.
 * @returns puts the folder away.
 */
export async function openGuardedRun(onSignal: () => Promise<void> = async () => undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'gridlens-run-'));
  await chmod(folder, 0o755); // mkdtemp closes it even to the user that Postgres runs as.
  const compiled = await makeCompiledFolder();
  const guardian = guardServers(folder, [compiled]);
  process.env.TMPDIR = folder;
  let isStopping = false;
  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void onSignal().finally(() => process.exit(code));
    });
  process.env[COMPILED_FOLDER] = compiled;
  await compileSources(compiled);
  return async (): Promise<void> => {
    await Promise.all([folder, compiled].map((one) => rm(one, { recursive: true, force: true })));
    guardian.release();
  };
}

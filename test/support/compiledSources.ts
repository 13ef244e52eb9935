import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Where a run's processes find it: the forks of vitest inherit the environment. */
export const COMPILED_FOLDER = 'TEST_COMPILED_FOLDER';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A new folder beside `src/`, so that what the sources look up beside themselves is found. */
export function makeCompiledFolder(): Promise<string> {
  return mkdtemp(join(ROOT, '.compiled-'));
}

/**
 * `src/` and the test clock as JavaScript, file by file. A process from here starts with half of the CPU that it takes
 * through tsx (1.1 s against 2.3 s here), and the tests start some three hundred. What users run, `npm start`, is
 * tested through tsx all the same.
 */
export async function compileSources(folder: string): Promise<void> {
  const files = await readdir(join(ROOT, 'src'), { recursive: true });
  const options = { format: 'esm', platform: 'node', target: 'node20', sourcemap: 'inline' } as const;
  await build({
    ...options,
    entryPoints: files.filter((file) => file.endsWith('.ts')).map((file) => join(ROOT, 'src', file)),
    outdir: folder,
    outbase: join(ROOT, 'src'),
  });
  await build({
    ...options,
    entryPoints: [join(ROOT, 'test/support/shiftedClock.ts')],
    outdir: join(folder, 'test'),
  });
}

/**
 * Arguments of `node` for a program of the product, compiled where this run has it compiled, else through tsx.
 *
 * @param entry path under `src/` without its ending, for example `commands/fleet`.
 * @param underTestClock whether it takes its time from a test's clock; see shiftedClock.ts.
 */
export function programArguments(entry: string, underTestClock = false): string[] {
  const folder = process.env[COMPILED_FOLDER];
  if (folder === undefined) {
    const clock = underTestClock ? ['--import', './test/support/shiftedClock.ts'] : [];
    return ['--import', 'tsx', ...clock, `src/${entry}.ts`];
  }
  const clock = underTestClock ? ['--import', join(folder, 'test/shiftedClock.js')] : [];
  return [...clock, join(folder, `${entry}.js`)];
}

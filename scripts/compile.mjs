/**
 * Makes `dist/` what `src/` and `page/` say: `npm ci` runs this (`prepare`), and each npm script loads it before its program, so that
 * nobody runs code that is older than `src/`. Plain JavaScript, since nothing is compiled yet when it runs.
 *
 * It compares content, not time: a copy or another branch has new times on old files. Reading all of `src/` takes 15 ms;
 * esbuild is loaded only where something differs, and has ended before the program begins.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePage } from './bundlePage.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'src');
const PAGE = join(ROOT, 'page');
const COMPILED = join(ROOT, 'dist');
/** Where `src/page/` finds what it serves. */
const PAGE_COMPILED = join(COMPILED, 'browser');
/** What `dist/` was made from, as a hash; written last, so that a compilation that was cut off does not count. */
const RECORD = join(COMPILED, 'made-from');

class Refusal extends Error {}

/** All files below a folder, sorted. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const sources = () => filesIn(SOURCES).filter((path) => path.endsWith('.ts'));

/** One hash over everything that `dist/` is made from. */
function fingerprint() {
  const hash = createHash('sha256');
  const makers = ['tsconfig.json', 'scripts/bundlePage.mjs', 'scripts/compile.mjs'].map((path) =>
    join(ROOT, path),
  );
  for (const path of [...sources(), ...filesIn(PAGE), ...makers]) {
    const content = readFileSync(path);
    // The length keeps the end of one file from passing for the beginning of the next.
    hash.update(`${relative(ROOT, path)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

const isCompiled = (wanted) => existsSync(RECORD) && readFileSync(RECORD, 'utf8') === wanted;

function loadCompiler() {
  try {
    return createRequire(import.meta.url)('esbuild');
  } catch {
    throw new Refusal(
      'dist/ is not what src/ says, and esbuild, which compiles it, is not installed: run `npm ci --include=optional`.',
    );
  }
}

/** What compiling leaves in `dist/`, and what goes when its source has gone. */
const MADE = /\.(js|css)(\.map|\.gz|\.br)?$/;

/** A JavaScript file for each TypeScript file, at the same place: what a source looks up beside itself is found. */
function compile() {
  const { buildSync } = loadCompiler();
  let files;
  try {
    files = buildSync({
      absWorkingDir: ROOT,
      entryPoints: sources(),
      outbase: SOURCES,
      outdir: COMPILED,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: true,
      sourcesContent: false,
      write: false,
      logLevel: 'silent',
    }).outputFiles;
    files.push(...bundlePage(buildSync, ROOT, PAGE_COMPILED));
  } catch (error) {
    throw new Refusal(`src/ or page/ cannot be compiled. ${error.message}`);
  }
  try {
    rmSync(RECORD, { force: true });
    for (const { path, contents } of files) replace(path, contents);
    const made = new Set(files.map(({ path }) => path));
    const left = filesIn(COMPILED).filter((path) => MADE.test(path) && !made.has(path));
    for (const path of left) rmSync(path, { force: true });
  } catch (error) {
    throw new Refusal(
      `dist/ is not what src/ says, and cannot be written (${error.message}): run \`npm run build\` as the user it belongs to.`,
    );
  }
}

/** Renamed into place: another process may be compiling the same, or loading it. */
function replace(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${randomUUID()}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

function main() {
  if (process.platform === 'win32') {
    throw new Refusal(
      'GridLens does not run on Windows itself: use it inside WSL (`wsl --install`), from a folder of that Linux.',
    );
  }
  // An image carries dist/ alone.
  if (!existsSync(SOURCES)) return;
  let wanted = fingerprint();
  if (isCompiled(wanted)) return;
  for (;;) {
    compile();
    const now = fingerprint();
    // Nobody has edited src/ meanwhile.
    if (now === wanted) break;
    wanted = now;
  }
  replace(RECORD, wanted);
  process.stderr.write('Compiled src/ to dist/.\n');
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

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
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePage } from './bundlePage.mjs';
import { describeRoutes } from './describeRoutes.mjs';
import { ownMappings } from './ownMappings.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'src');
const PAGE = join(ROOT, 'page');
const COMPILED = join(ROOT, 'dist');
/** Where `src/page/` finds what it serves. */
const PAGE_COMPILED = join(COMPILED, 'browser');
/**
 * What `dist/` was made from: a hash over `src/` and `page/`, and a line for each package. Written last, so that a compilation
 * that was cut off does not count.
 */
const RECORD = join(COMPILED, 'made-from');

/** What a process starts with, besides the files of `src/` itself. The last two are read by docker/worker-health.mjs. */
const PROGRAMS = [
  'commands/archive.ts',
  'commands/backfill.ts',
  'commands/dataset.ts',
  'commands/demo.ts',
  'commands/doctor.ts',
  'commands/export.ts',
  'commands/fleet.ts',
  'commands/import.ts',
  'commands/inspect.ts',
  'commands/migrate.ts',
  'commands/scenario.ts',
  'commands/score.ts',
  'datasets/datasetWorker.ts',
  'imports/parquetProgram.ts',
  'commands/vee.ts',
  'local/postgres/postgresPart.ts',
  'db/hosts.ts',
  'process/archiveThread.ts',
  'process/config.ts',
];

/** What packages written for CommonJS expect around them. */
const COMMONJS_NAMES = `import { createRequire as commonjsRequire } from 'node:module';
import { dirname as commonjsFolderOf } from 'node:path';
import { fileURLToPath as commonjsPathOf } from 'node:url';
const require = commonjsRequire(import.meta.url);
const __filename = commonjsPathOf(import.meta.url);
const __dirname = commonjsFolderOf(__filename);`;

class Refusal extends Error {}

/** All files below a folder, sorted. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const sources = () => filesIn(SOURCES).filter((path) => path.endsWith('.ts'));

const programs = () => [...readdirSync(SOURCES).filter((name) => name.endsWith('.ts')), ...PROGRAMS];

/** One hash over everything of ours that `dist/` is made from. */
function fingerprint() {
  const hash = createHash('sha256');
  const scripts = ['compile.mjs', 'ownMappings.mjs', 'bundlePage.mjs', 'describeRoutes.mjs'].map((name) =>
    join(ROOT, 'scripts', name),
  );
  const settings = ['tsconfig.json', 'package.json'].map((name) => join(ROOT, name));
  for (const path of [...sources(), ...filesIn(PAGE), ...settings, ...scripts]) {
    const content = readFileSync(path);
    // The length keeps the end of one file from passing for the beginning of the next.
    hash.update(`${relative(ROOT, path)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

const isCompiled = (wanted) => {
  if (!existsSync(RECORD)) return false;
  const [hash, ...packages] = readFileSync(RECORD, 'utf8').split('\n');
  return hash === wanted && packages.every(isAsInstalled);
};

/** A package that is not installed any more is in `dist/` all the same, and nothing says that it should be another. */
function isAsInstalled(line) {
  const [place] = line.split(' ');
  return !existsSync(join(ROOT, place, 'package.json')) || withVersion(place) === line;
}

/** `node_modules/zod 4.6.7` */
const withVersion = (place) =>
  `${place} ${JSON.parse(readFileSync(join(ROOT, place, 'package.json'), 'utf8')).version}`;

/** The packages that a build took files from, by the paths of these. They may be links, which esbuild follows. */
function packagesIn(inputs) {
  const places = inputs.map(
    (path) => /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0],
  );
  return [...new Set(places.filter((place) => place !== undefined))].sort();
}

function loadCompiler() {
  try {
    return createRequire(import.meta.url)('esbuild');
  } catch {
    throw new Refusal(
      'dist/ is not what src/ says, and esbuild, which compiles it, is not installed: run `npm ci --include=optional`.',
    );
  }
}

/**
 * A file for each program, with the packages in it, and `dist/chunks/` with what several programs share: loading 1,000 files
 * one by one was half of a start. Without white space Node keeps 15 MB less of it in memory.
 *
 * @returns the packages in it, with their versions.
 */
function compile() {
  const { buildSync } = loadCompiler();
  let built;
  let reference;
  let page;
  try {
    built = buildSync({
      absWorkingDir: ROOT,
      entryPoints: programs().map((name) => join(SOURCES, name)),
      outbase: SOURCES,
      outdir: COMPILED,
      chunkNames: 'chunks/[hash]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      // Of packages with both, the modules: only what is used of them is taken.
      mainFields: ['module', 'main'],
      // Code that is found by where its package lies, and what is installed beside the product for traces. All are looked
      // for when the process runs.
      external: [
        'pg-native',
        'msgpackr-extract',
        'bullmq-otel',
        'apache-arrow',
        'parquet-wasm',
        '@bokuweb/zstd-wasm',
      ],
      banner: { js: COMMONJS_NAMES },
      minifyWhitespace: true,
      legalComments: 'none',
      sourcemap: true,
      sourcesContent: false,
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    reference = describeRoutes(buildSync, ROOT);
    page = bundlePage(buildSync, ROOT, PAGE_COMPILED, { 'openapi.json': reference.text });
  } catch (error) {
    throw new Refusal(`src/ or page/ cannot be compiled. ${error.message}`);
  }
  try {
    rmSync(RECORD, { force: true });
    write([...built.outputFiles, ...page.files]);
  } catch (error) {
    throw new Refusal(
      `dist/ is not what src/ says, and cannot be written (${error.message}): run \`npm run build\` as the user it belongs to.`,
    );
  }
  const inputs = [...Object.keys(built.metafile.inputs), ...reference.inputs, ...page.inputs];
  return packagesIn(inputs).map(withVersion);
}

/** What compiling leaves in `dist/`, and what goes when its source has gone. */
const MADE = /\.(js|css)(\.map|\.gz|\.br)?$/;

/** Programs last: each finds the chunks that it names. */
function write(files) {
  const isProgram = ({ path }) => dirname(path) !== join(COMPILED, 'chunks');
  const own = new Set(sources());
  for (const file of files.toSorted((a, b) => isProgram(a) - isProgram(b))) {
    const { path, contents } = file;
    // By the file, not by its name: a package (saxes 6.0.0) comes with maps whose sources are in a src/ that it leaves out.
    const isOwn = (source) => own.has(resolve(dirname(path), source));
    replace(path, path.endsWith('.map') ? ownMappings(file.text, isOwn) : contents);
  }
  const made = new Set(files.map(({ path }) => path));
  const left = filesIn(COMPILED).filter((path) => MADE.test(path) && !made.has(path));
  for (const path of left) rmSync(path, { force: true });
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
  let packages;
  for (;;) {
    packages = compile();
    const now = fingerprint();
    // Nobody has edited src/ meanwhile.
    if (now === wanted) break;
    wanted = now;
  }
  replace(RECORD, [wanted, ...packages].join('\n'));
  process.stderr.write('Compiled src/ and page/ to dist/.\n');
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

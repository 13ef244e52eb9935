import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import supertest from 'supertest';
import { inject } from 'vitest';
import { composeApi } from '../../src/process/apiProcess.js';
import { loadConfig } from '../../src/process/config.js';
import { API_POOL, createContext, WORKER_POOL } from '../../src/process/context.js';
import { requirePostgresPlaces } from '../../src/process/postgresPlaces.js';
import { runWorker } from '../../src/process/workerProcess.js';
import { STRETCHED_BUDGET } from './answerBudget.js';
import type { BackendName } from './backends.js';
import { programArguments } from './compiledSources.js';
import { API_KEY, BEARER, held, requireDocumented } from './deployment.js';
import { createTestDatabase, onCluster } from './testDatabase.js';
import { waitFor } from './waitFor.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = new URL('../schema/existing/', import.meta.url);

/** A utility's database as it was before GridLens came. */
export interface CustomerDatabase {
  /** What DATABASE_URL says: as the utility's role for GridLens, or as the owner of everything. */
  url: string;
  /** The role for GridLens, which `{{role}}` stands for in the SQL; unique in the cluster. */
  role: string;
  /** The owner of everything, a superuser. */
  admin: pg.Pool;
  drop(): Promise<void>;
}

/**
 * Makes a database from SQL. Roles belong to the cluster, not to the database: `{{role}}` in the SQL becomes a login
 * of this database's own, and roles whose names begin with it go with the database.
 *
 * @param source a file beside the cases, or SQL itself.
 * @param asRole whether GridLens is to connect as `{{role}}` rather than as the owner.
 */
export async function createCustomerDatabase(
  source: { file: string } | { sql: string },
  asRole = false,
): Promise<CustomerDatabase> {
  const database = await createTestDatabase('empty');
  const role = `r_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  const sql = 'sql' in source ? source.sql : await readFile(new URL(source.file, FIXTURES), 'utf8');
  const url = new URL(database.url);
  const loader = new pg.Client({ connectionString: database.url });
  await loader.connect();
  try {
    await loader.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    await loader.query(sql.replaceAll('{{role}}', role));
  } finally {
    // Not kept: settings of the database's search path hold for connections made after this one.
    await loader.end();
  }
  if (asRole) Object.assign(url, { username: role, password: role });
  return {
    url: url.href,
    role,
    admin: database.pool,
    async drop() {
      await database.drop();
      await onCluster(`DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT rolname FROM pg_roles WHERE starts_with(rolname, '${role}') LOOP
          EXECUTE format('DROP ROLE %I', name);
        END LOOP; END $$`);
    },
  };
}

/** `npm run migrate -- <args>` on a database, to its end. */
export async function runMigrate(
  { url }: CustomerDatabase,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...programArguments('commands/migrate'), ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? '',
      GRIDLENS_API_KEY: API_KEY,
      DATABASE_URL: url,
      ...STRETCHED_BUDGET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** GridLens started over a customer's database, in this process. */
export type CustomerDeployment = Awaited<ReturnType<typeof startOver>>;

/**
 * @param now the clock of the API; the worker has the real one.
 * @param withWorker else the API alone.
 */
export async function startOver(
  { url }: CustomerDatabase,
  backend: BackendName,
  now: () => Date,
  withWorker = true,
) {
  const redisUrl = backend === 'redis' ? inject('redisUrl') : undefined;
  const config = loadConfig(
    {
      DATABASE_URL: url,
      GRIDLENS_API_KEY: API_KEY,
      ...STRETCHED_BUDGET,
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    },
    { command: 'api', cwd: '/nonexistent' },
  );
  const logLines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logLines.push(JSON.parse(line)) });
  const overrides = { queuePrefix: `{test-${randomUUID()}}`, log };
  const context = await createContext('api', config, API_POOL, overrides);
  const undocumented: string[] = [];
  const http = supertest(held(composeApi(context, now), undocumented));
  const startWorker = async () => {
    // What the API has just prepared need not be looked at once more: the next start is another test.
    const prepared = { places: await requirePostgresPlaces(config), schema: context.schema };
    const workerContext = await createContext('worker', config, WORKER_POOL, { ...overrides, prepared });
    return { context: workerContext, running: runWorker(workerContext) };
  };
  const worker = withWorker
    ? await startWorker().catch(async (error) => {
        await context.close();
        throw error;
      })
    : undefined;
  const post = (path: string, body: object) => http.post(path).set(BEARER).send(body);
  return {
    context,
    http,
    logLines,
    post,
    /** Waits until a publish has ended; answers its progress. */
    finished: (publishId: string) =>
      waitFor(`publish ${publishId}`, async () => {
        const { body } = await http.get(`/api/ami/publish/${publishId}`);
        return !['queued', 'running'].includes(body.state) && body;
      }),
    async stop() {
      await worker?.running.stop();
      await worker?.context.close();
      await context.close();
      requireDocumented(undocumented);
    },
  };
}

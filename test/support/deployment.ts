import { randomUUID } from 'node:crypto';
import type { Express } from 'express';
import { pino } from 'pino';
import supertest from 'supertest';
import { inject } from 'vitest';
import { QUEUE_SCHEMA } from '../../src/db/deploymentIdentity.js';
import { DIRECT } from '../../src/db/pooling.js';
import { composeApi } from '../../src/process/apiProcess.js';
import { type Config, loadConfig } from '../../src/process/config.js';
import {
  API_POOL,
  type Context,
  createContext,
  type PreparedPlaces,
  WORKER_POOL,
} from '../../src/process/context.js';
import type { Running } from '../../src/process/lifecycle.js';
import { runWorker } from '../../src/process/workerProcess.js';
import { STRETCHED_BUDGET } from './answerBudget.js';
import type { BackendName } from './backends.js';
import { createReference, observed, type Reference } from './reference.js';
import { JUNE } from './templates.js';
import { createTestDatabase, type TestDatabase } from './testDatabase.js';

export const API_KEY = 'test-key-0123456789abcdef';
export const BEARER = { Authorization: `Bearer ${API_KEY}` };

/** One deployment inside the test's process: real Postgres, real queue, the API as an app, workers on demand. */
export interface Deployment {
  database: TestDatabase;
  context: Context;
  config: Config;
  /** Of its keys in Redis. */
  queuePrefix: string;
  app: Express;
  /** Every answer to it is held to the API reference; `close` throws where one was not as documented. */
  http: ReturnType<typeof supertest>;
  /** What the processes have logged, one object a line. */
  logLines: Record<string, unknown>[];
  startWorker(): Promise<Running>;
  post(path: string, body: unknown): supertest.Test;
  /** Stops every process and starts the API anew, on the same database and queue. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function createDeployment(
  backend: BackendName,
  env: Record<string, string> = {},
  now?: () => Date,
): Promise<Deployment> {
  const isInJune = now?.().toISOString().startsWith(JUNE) ?? false;
  const database = await createTestDatabase(isInJune ? 'june' : 'migrated');
  const queuePrefix = `{test-${randomUUID()}}`;
  const redisUrl = backend === 'redis' ? inject('redisUrl') : undefined;
  const config = loadConfig(
    {
      DATABASE_URL: database.url,
      GRIDLENS_API_KEY: API_KEY,
      ...STRETCHED_BUDGET,
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
      ...env,
    },
    { command: 'api', cwd: '/nonexistent' },
  );
  const logLines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logLines.push(JSON.parse(line)) });
  const undocumented: string[] = [];
  // The template of its database was prepared by what a start would only look with again.
  const prepared = config.databaseUrl === database.url ? preparedTemplate(config) : undefined;
  const startApi = async (found?: PreparedPlaces) => {
    const context = await createContext('api', config, API_POOL, {
      ...(found && { prepared: found }),
      queuePrefix,
      log,
    });
    const app = composeApi(context, now);
    return { context, app, http: supertest(held(app, undocumented)) };
  };
  const workers: { worker: Running; context: Context }[] = [];
  const stop = async () => {
    for (const { worker, context: workerContext } of workers.splice(0)) {
      await worker.stop();
      await workerContext.close();
    }
    await deployment.context.close();
  };
  const deployment: Deployment = {
    database,
    ...(await startApi(prepared)),
    config,
    queuePrefix,
    logLines,
    async startWorker() {
      const { schema } = deployment.context;
      const workerContext = await createContext('worker', config, WORKER_POOL, {
        ...(prepared && { prepared: { ...prepared, schema } }),
        queuePrefix,
        log,
      });
      const worker = runWorker(workerContext, now);
      const entry = { worker, context: workerContext };
      workers.push(entry);
      return {
        async stop() {
          workers.splice(workers.indexOf(entry), 1);
          await worker.stop();
          await workerContext.close();
        },
      };
    },
    post: (path, body) =>
      deployment.http
        .post(path)
        .set(BEARER)
        .send(body as object),
    async restart() {
      await stop();
      Object.assign(deployment, await startApi());
    },
    async close() {
      await stop();
      await database.drop();
      requireDocumented(undocumented);
    },
  };
  return deployment;
}

/** What a start would find in a database that is a clone of the run's template (testServers.ts). */
function preparedTemplate({
  databaseUrl = '',
  redisUrl,
  queueDatabaseUrl,
}: Config): PreparedPlaces | undefined {
  if (queueDatabaseUrl !== undefined) return undefined;
  const queue = { url: databaseUrl, pooling: DIRECT, schema: QUEUE_SCHEMA };
  return {
    places: {
      databaseUrl,
      pooling: DIRECT,
      queue: redisUrl === undefined ? queue : undefined,
      redisPrefix: '',
    },
    schema: inject('templateSchema'),
  };
}

/** Of all deployments of a file, since it takes a moment to make. */
let reference: Reference | undefined;

/** @throws where an answer was not as the API reference has it. */
export function requireDocumented(undocumented: readonly string[]): void {
  if (undocumented.length > 0) throw new Error(`Not as documented: ${undocumented.slice(0, 5).join('\n')}`);
}

/** The app, with a sentence for each answer that is not as the API reference has it. */
export function held(app: Express, undocumented: string[]): ReturnType<typeof observed> {
  return observed(app, (exchange) => {
    reference ??= createReference();
    const trouble = reference.trouble(exchange);
    if (trouble !== undefined) undocumented.push(trouble);
  });
}

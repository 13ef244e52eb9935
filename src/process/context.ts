/**
 * Room: process. Promises: configuration, logging, and everything that is built once per process, in order, and closed
 * in the reverse order. Nothing outside this room reads the environment of a process or composes services.
 */

import type { Logger } from 'pino';
import { answerBudget, stretchAnswerBudget } from '../contracts/answerBudget.js';
import { StartupError } from '../contracts/errors.js';
import { createDatabase, type Database, withTransaction } from '../db/db.js';
import { requirePostgres, whenConnected } from '../db/requirePostgres.js';
import { whenTablesAreFree } from '../db/whenTablesAreFree.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { openQueues } from '../queues/openQueues.js';
import { createQueueDatabase, migrateQueue } from '../queues/postgresBackend.js';
import { DEFAULT_PREFIX } from '../queues/queueConnections.js';
import { requireRedis } from '../queues/redis/requireRedis.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { preparePartitions } from '../reads/partitionUpkeep.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { missingOwnPrivileges, missingQueueRight, openSchema } from '../schema/ownPrivileges.js';
import { prepareError } from '../schema/prepareErrors.js';
import { preparedMapping, prepareSchema } from '../schema/prepareSchema.js';
import { type Config, DEFAULT_TENANT_ID } from './config.js';
import { createLogger } from './log.js';

/** What every process has: built once, in order, closed in the reverse. */
export interface Context {
  config: Config;
  log: Logger;
  database: Database;
  queue: AmiQueue;
  /** What drives the automatic mode: one scheduler per tenant. */
  ticks: TickQueue;
  /** Which tables and columns carry what, found at start-up. */
  schema: SchemaMapping;
  close(): Promise<void>;
}

/** Limits of one kind of process on its Postgres connections. */
interface PoolLimits {
  maxConnections: number;
  queryTimeoutMs(): number;
}

/** The API waits for a statement no longer than an answer can: 1.5 s. */
export const API_POOL: PoolLimits = { maxConnections: 10, queryTimeoutMs: () => answerBudget().dependency };
/** A worker would rather wait for a slow database than write a batch twice. 12 writes, pacing, upkeep, passes. */
export const WORKER_POOL: PoolLimits = { maxConnections: 20, queryTimeoutMs: () => 30_000 };

/**
 * Connects, migrates and opens the queue.
 *
 * @param overrides `onBroken`: what to do when only a new process helps. Tests give a queue prefix and a logger of their
 * own.
 * @throws StartupError one actionable sentence when Postgres or Redis is away, too old, or not usable.
 */
export async function createContext(
  part: string,
  config: Config,
  limits: PoolLimits,
  overrides: { queuePrefix?: string; log?: Logger; onBroken?: (error: Error) => void } = {},
): Promise<Context> {
  const databaseUrl = config.databaseUrl;
  if (databaseUrl === undefined) throw new StartupError('DATABASE_URL is not set.');
  stretchAnswerBudget(config.answerBudgetFactor);
  const log = overrides.log ?? createLogger(part, config.logLevel);
  const onError = (error: Error): void =>
    log.warn({ reason: error.message }, 'connection lost, reconnecting');

  await requirePostgres(databaseUrl);
  const prefix = overrides.queuePrefix ?? DEFAULT_PREFIX;
  const redisServer = config.redisUrl ? await requireRedis(config.redisUrl, prefix) : undefined;
  const policy = redisServer?.evictionPolicy;
  if (policy !== undefined && policy !== 'noeviction')
    log.warn(
      { evictionPolicy: policy },
      'Redis may throw jobs away when its memory is full: set its maxmemory-policy to noeviction',
    );
  const schema = await prepareStorage(
    databaseUrl,
    config.redisUrl === undefined,
    log,
    config.defaultTenantId,
  );

  if (config.readsRetentionDays !== undefined && !schema.reads.own)
    log.warn('READS_RETENTION_DAYS drops nothing: the table of reads is not one that GridLens made');

  const database = createDatabase({
    connectionString: databaseUrl,
    applicationName: `gridlens-${part}`,
    maxConnections: limits.maxConnections,
    queryTimeoutMs: limits.queryTimeoutMs(),
    onIdleError: onError,
  });
  const onBroken = (error: Error): void => {
    log.fatal({ reason: error.message }, 'queue broken');
    overrides.onBroken?.(error);
  };
  const { redisUrl } = config;
  const found = redisServer === undefined ? {} : { redisServer };
  const { connections, queue, ticks } = await whenConnected(databaseUrl, () =>
    openQueues({ redisUrl, databaseUrl, prefix, onError, onBroken, ...found }),
  );
  return {
    config,
    log,
    database,
    queue,
    ticks,
    schema,
    async close() {
      await ticks.close();
      await queue.close();
      await connections.close();
      await database.end();
    },
  };
}

/** The pool that migrations run on. */
export function openMigrationDatabase(
  connectionString: string,
  onIdleError: (error: Error) => void,
): Database {
  return createDatabase({
    connectionString,
    applicationName: 'gridlens-migrate',
    maxConnections: 2,
    // A new version may count all reads there are: two minutes for a month of 25,000 meters.
    queryTimeoutMs: 6 * 3_600_000,
    onIdleError,
  });
}

/**
 * The mapping in force, after whatever was missing has been made; each change is logged.
 *
 * @throws StartupError when the schema cannot be adapted.
 */
export async function preparedSchema(
  database: Database,
  defaultTenantId: string,
  log: Logger,
): Promise<SchemaMapping> {
  // Looked at first, so a role that may not create anything can run on a prepared database.
  const found = await preparedMapping(database, { defaultTenantId });
  if (found) return found;
  // If this process is killed while Postgres recounts, the server should notice within 1 s and release the locks. Some
  // platforms cannot; there the recount runs to its end. The transaction below takes this connection: it is the only
  // idle one.
  await database.query(`SET client_connection_check_interval = '1s'`).catch(() => undefined);
  const done = await whenTablesAreFree(() =>
    withTransaction(database, (client) => prepareSchema(client, { defaultTenantId })),
  ).catch((error: unknown) => {
    throw prepareError(error);
  });
  if (done.isFresh) log.info('schema made');
  if (done.migrations.length > 0) log.info({ applied: done.migrations }, 'migrations applied');
  if (done.comments > 0) log.info({ comments: done.comments }, 'comments written');
  for (const { summary, statement } of done.onCustomerTables) log.info({ statement }, summary);
  return done.mapping;
}

/**
 * Migrations have a connection of their own, because they may take longer than any answer. If the connection is lost,
 * Postgres has rolled back what ran on it, and everything is tried again on a new one.
 */
export function prepareStorage(
  databaseUrl: string,
  queueInPostgres: boolean,
  log: Logger,
  defaultTenantId = DEFAULT_TENANT_ID,
): Promise<SchemaMapping> {
  return whenConnected(databaseUrl, () =>
    prepareStorageOnce(databaseUrl, queueInPostgres, log, defaultTenantId),
  );
}

async function prepareStorageOnce(
  databaseUrl: string,
  queueInPostgres: boolean,
  log: Logger,
  defaultTenantId: string,
): Promise<SchemaMapping> {
  const onIdleError = (error: Error): void => log.warn({ reason: error.message }, 'connection lost');
  const database = openMigrationDatabase(databaseUrl, onIdleError);
  let schema: SchemaMapping;
  const refuse = (lacking: string | undefined): void => {
    if (lacking !== undefined) throw new StartupError(lacking);
  };
  try {
    // Before anything is made: a start that fails leaves everything as it was.
    if (queueInPostgres) refuse(await missingQueueRight(database));
    refuse(await missingOwnPrivileges(database, queueInPostgres));
    schema = await preparedSchema(database, defaultTenantId, log);
    const open = await openSchema(database);
    if (open !== undefined)
      log.warn(
        `anybody may create functions in schema ${open}: REVOKE CREATE ON SCHEMA ${open} FROM PUBLIC;`,
      );
    await preparePartitions(database, new Date());
  } finally {
    await database.end();
  }
  if (!queueInPostgres) return schema;
  const queueDatabase = await createQueueDatabase(databaseUrl, onIdleError);
  try {
    await migrateQueue(queueDatabase);
  } finally {
    await queueDatabase.end();
  }
  return schema;
}

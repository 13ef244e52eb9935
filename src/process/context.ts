/**
 * Room: process. Promises: configuration, logging, and everything that is built once per process, in order, and closed
 * in the reverse order. Nothing outside this room reads the environment of a process or composes services.
 */

import type { Logger } from 'pino';
import { answerBudget, stretchAnswerBudget } from '../contracts/answerBudget.js';
import { StartupError } from '../contracts/errors.js';
import { createDatabase, type Database, withTransaction } from '../db/db.js';
import { QUEUE_SCHEMA } from '../db/deploymentIdentity.js';
import { DIRECT, type Pooling } from '../db/pooling.js';
import { whenConnected } from '../db/requirePostgres.js';
import { type ShareUse, withShares } from '../db/shares.js';
import type { Reads } from '../db/standbyReads.js';
import { whenTablesAreFree } from '../db/whenTablesAreFree.js';
import type { AmiQueue } from '../queues/amiQueue.js';
import { openQueues } from '../queues/openQueues.js';
import { createQueueDatabase, isQueueMade, makeQueue } from '../queues/postgresBackend.js';
import { createQueueView, type QueueView } from '../queues/queueView.js';
import { requireRedis } from '../queues/redis/requireRedis.js';
import { openTelemetry } from '../queues/telemetry.js';
import type { TickQueue } from '../queues/tickQueue.js';
import { preparePartitions } from '../reads/partitionUpkeep.js';
import type { SchemaMapping } from '../schema/mapping.js';
import {
  missingOwnRights,
  missingQueueRights,
  missingRights,
  openSchema,
  queueRefusal,
} from '../schema/ownPrivileges.js';
import { prepareError } from '../schema/prepareErrors.js';
import { preparedMapping, prepareSchema } from '../schema/prepareSchema.js';
import { type ClockWatch, watchClock } from '../status/clockWatch.js';
import { type Config, DEFAULT_TENANT_ID } from './config.js';
import { createLogger } from './log.js';
import { openReads } from './openReads.js';
import { type PostgresPlaces, requirePostgresPlaces } from './postgresPlaces.js';

/** What every process has: built once, in order, closed in the reverse. */
export interface Context {
  config: Config;
  log: Logger;
  database: Database;
  queue: AmiQueue;
  /** What drives the automatic mode: one scheduler per tenant. */
  ticks: TickQueue;
  /** The queues for whoever looks at them. */
  queueView: QueueView;
  /** For answers that may be seconds old. */
  reads: Reads;
  /** For files that are read: one connection, whose statements may take minutes. The worker has none. */
  files?: Database;
  /** What has to end before the pools do. */
  beforeClose: (() => Promise<void>)[];
  /** Whether this machine's clock is the database's; looked at by whoever runs the process. */
  clock: ClockWatch;
  /** Which tables and columns carry what, found at start-up. */
  schema: SchemaMapping;
  /** How much of the pool each kind of asker uses; only where it is shared out. */
  shareUse?: () => ShareUse[];
  /** How many connections it may take from Postgres for itself and for its queue, and what it reaches Postgres over. */
  connections: { own: number; queue: number; files: number; pooling: Pooling };
  /** For connections of their own. */
  databaseUrl: string;
  close(): Promise<void>;
}

/** Limits of one kind of process on its Postgres connections. */
interface PoolLimits {
  /** Unless DATABASE_POOL_MAX says another number. */
  maxConnections: number;
  /** Of the queue in Postgres, unless QUEUE_POOL_MAX says another number. */
  queueConnections: number;
  queryTimeoutMs(): number;
  /** Whether those who ask each have a share of them. */
  isShared?: boolean;
  /** For reading files that are sent. */
  fileConnections?: number;
  /** How long to wait for one of them; where it is not said, no longer than for a new one. */
  connectionWaitMs?: number;
}

/**
 * Two API processes take 5 connections each and four workers 6, 34 in all: a small Azure server has 35, so there one of
 * the two can read a file as well. For the same load ten and twenty of them did no more, since what Postgres can do at once
 * is a matter of its cores.
 */
const OWN_CONNECTIONS = 4;

/** Sorting and comparing what a file of millions of reads has said. */
const FILE_STATEMENT_MS = 600_000;

/** The API waits for a statement no longer than an answer can: 1.5 s. */
export const API_POOL: PoolLimits = {
  maxConnections: OWN_CONNECTIONS,
  // It adds and counts, one statement at a time.
  queueConnections: 1,
  queryTimeoutMs: () => answerBudget().dependency,
  isShared: true,
  // Made when a file comes, and given back when it was read.
  fileConnections: 1,
};
/**
 * A worker would rather wait for a slow database than write a batch twice, and for a connection of its own rather than
 * have a batch fail. Ten batches at once, pacing, upkeep and passes share them.
 */
export const WORKER_POOL: PoolLimits = {
  maxConnections: OWN_CONNECTIONS,
  // The one that is listened on, and one for what is asked meanwhile.
  queueConnections: 2,
  queryTimeoutMs: () => 30_000,
  connectionWaitMs: 10_000,
};

/** Places that were looked at, and what was found there once nothing was missing any more. */
export interface PreparedPlaces {
  places: PostgresPlaces;
  schema: SchemaMapping;
}

/**
 * Connects, migrates and opens the queue.
 *
 * @param overrides `onBroken`: what to do when only a new process helps. Tests give a queue prefix and a logger of their
 * own, and what a start would find in a database that they know.
 * @throws StartupError one actionable sentence when Postgres or Redis is away, too old, or not usable.
 */
export async function createContext(
  part: string,
  config: Config,
  limits: PoolLimits,
  overrides: {
    queuePrefix?: string;
    log?: Logger;
    onBroken?: (error: Error) => void;
    prepared?: PreparedPlaces;
  } = {},
): Promise<Context> {
  stretchAnswerBudget(config.answerBudgetFactor);
  const log = overrides.log ?? createLogger(part, config.logLevel);
  const onError = (error: Error): void =>
    log.warn({ reason: error.message }, 'connection lost, reconnecting');

  const places = overrides.prepared?.places ?? (await requirePostgresPlaces(config));
  const { databaseUrl, pooling, queue: queuePlace } = places;
  const prefix = overrides.queuePrefix ?? places.redisPrefix;
  const redisServer = config.redisUrl ? await requireRedis(config.redisUrl, prefix) : undefined;
  const policy = redisServer?.evictionPolicy;
  if (policy !== undefined && policy !== 'noeviction')
    log.warn(
      { evictionPolicy: policy },
      'Redis may throw jobs away when its memory is full: set its maxmemory-policy to noeviction',
    );
  const schema = overrides.prepared?.schema ?? (await preparePlaces(places, log, config.defaultTenantId));

  if (config.readsRetentionDays !== undefined && !schema.reads.own)
    log.warn('READS_RETENTION_DAYS drops nothing: the table of reads is not one that GridLens made');

  const ownLimits = {
    maxConnections: config.databasePoolMax ?? limits.maxConnections,
    queryTimeoutMs: limits.queryTimeoutMs(),
  };
  const queueConnections = config.queuePoolMax ?? limits.queueConnections;
  const pool = createDatabase({
    connectionString: databaseUrl,
    applicationName: `gridlens-${part}`,
    ...ownLimits,
    ...(limits.connectionWaitMs === undefined ? {} : { connectionWaitMs: limits.connectionWaitMs }),
    boundStatements: true,
    pooling,
    onIdleError: onError,
  });
  const files =
    limits.fileConnections === undefined
      ? undefined
      : createDatabase({
          connectionString: databaseUrl,
          applicationName: `gridlens-${part}-import`,
          maxConnections: limits.fileConnections,
          queryTimeoutMs: FILE_STATEMENT_MS,
          pooling,
          onIdleError: onError,
        });
  const shared = limits.isShared ? withShares(pool) : undefined;
  const database = shared ?? pool;
  const reads = await openReads(database, config, ownLimits, log);
  const queueDatabase = { ...queuePlace, maxConnections: queueConnections };
  const onBroken = (error: Error): void => {
    log.fatal({ reason: error.message }, 'queue broken');
    overrides.onBroken?.(error);
  };
  const { redisUrl } = config;
  const found = redisServer === undefined ? {} : { redisServer };
  const telemetry = config.queueTelemetry ? { telemetry: await openTelemetry() } : {};
  const queueOptions = {
    redisUrl,
    databaseUrl: queuePlace?.url ?? databaseUrl,
    queueDatabase,
    onError,
    onBroken,
    prefix,
    ...found,
    ...telemetry,
  };
  const { connections, queue, ticks } = await whenConnected(databaseUrl, () => openQueues(queueOptions));
  const queueView = createQueueView(queueOptions);
  const beforeClose: Context['beforeClose'] = [];
  return {
    config,
    log,
    database,
    queue,
    ticks,
    queueView,
    reads,
    clock: watchClock(database, config.clockToleranceSeconds, log),
    ...(shared && { shareUse: () => shared.shareUse() }),
    schema,
    databaseUrl,
    connections: {
      own: ownLimits.maxConnections,
      queue: queuePlace ? queueConnections : 0,
      files: limits.fileConnections ?? 0,
      pooling,
    },
    ...(files && { files }),
    beforeClose,
    async close() {
      for (const end of beforeClose) await end();
      await queueView.close();
      await ticks.close();
      await queue.close();
      await connections.close();
      await files?.end();
      await reads.close();
      await database.end();
    },
  };
}

/** The pool that migrations run on. */
export function openMigrationDatabase(
  connectionString: string,
  onIdleError: (error: Error) => void,
  pooling = DIRECT,
): Database {
  return createDatabase({
    connectionString,
    applicationName: 'gridlens-migrate',
    pooling,
    maxConnections: 2,
    // A new version may count all reads there are: two minutes for a month of 25,000 meters. A bound that the database
    // has for all its statements would end even the look at what there is, on a busy machine.
    queryTimeoutMs: 6 * 3_600_000,
    // On a pooler in transaction mode the setting would stay for whoever has the connection next.
    ...(pooling.mode === 'transaction' ? {} : { options: '-c statement_timeout=0' }),
    onIdleError,
  });
}

/**
 * The mapping in force, after whatever was missing has been made; each change is logged.
 *
 * @throws StartupError when the schema cannot be adapted.
 */
async function preparedSchema(
  database: Database,
  defaultTenantId: string,
  log: Logger,
): Promise<SchemaMapping> {
  // Looked at first, so a role that may not create anything can run on a prepared database.
  const found = await preparedMapping(database, { defaultTenantId });
  if (found) return found;
  const done = await whenTablesAreFree(() =>
    withTransaction(database, async (client) => {
      // If this process is killed while Postgres recounts, the server should notice within 1 s and release the locks.
      // Some platforms cannot; there the recount runs to its end.
      await client.query('SAVEPOINT unchecked');
      await client
        .query(`SET LOCAL client_connection_check_interval = '1s'`)
        .catch(() => client.query('ROLLBACK TO SAVEPOINT unchecked'));
      await client.query('RELEASE SAVEPOINT unchecked');
      return prepareSchema(client, { defaultTenantId });
    }),
  ).catch((error: unknown) => {
    throw prepareError(error);
  });
  if (done.isFresh) log.info('schema made');
  if (done.migrations.length > 0) log.info({ applied: done.migrations }, 'migrations applied');
  if (done.comments > 0) log.info({ comments: done.comments }, 'comments written');
  for (const { summary, statement } of done.onCustomerTables) log.info({ statement }, summary);
  return done.mapping;
}

/** Prepares one Postgres without anything in between, for the queue as well where it is there. */
export function prepareStorage(
  databaseUrl: string,
  queueInPostgres: boolean,
  log: Logger,
  defaultTenantId = DEFAULT_TENANT_ID,
): Promise<SchemaMapping> {
  const direct = { url: databaseUrl, pooling: DIRECT };
  const queue = queueInPostgres ? { ...direct, schema: QUEUE_SCHEMA } : undefined;
  return preparePlaces({ databaseUrl, pooling: DIRECT, queue }, log, defaultTenantId);
}

/**
 * Migrations have a connection of their own, because they may take longer than any answer. If the connection is lost,
 * Postgres has rolled back what ran on it, and everything is tried again on a new one.
 */
export function preparePlaces(
  places: Omit<PostgresPlaces, 'redisPrefix'>,
  log: Logger,
  defaultTenantId: string,
): Promise<SchemaMapping> {
  return whenConnected(places.databaseUrl, () => preparePlacesOnce(places, log, defaultTenantId));
}

async function preparePlacesOnce(
  places: Omit<PostgresPlaces, 'redisPrefix'>,
  log: Logger,
  defaultTenantId: string,
): Promise<SchemaMapping> {
  const onIdleError = (error: Error): void => log.warn({ reason: error.message }, 'connection lost');
  const database = openMigrationDatabase(places.databaseUrl, onIdleError, places.pooling);
  const { queue } = places;
  // One connection looks at both where they are one database: it costs Postgres more than what it is asked.
  const isElsewhere = queue !== undefined && queue.url !== places.databaseUrl;
  const elsewhere = isElsewhere ? await createQueueDatabase(queue.url, onIdleError, queue) : undefined;
  const asked = elsewhere ?? database;
  const refuse = (lacking: string | undefined): void => {
    if (lacking !== undefined) throw new StartupError(lacking);
  };
  try {
    // Before anything is made: a start that fails leaves everything as it was.
    if (queue) refuse(await queueRefusal(asked, queue.schema));
    const queueRights = queue && (await missingQueueRights(asked, queue.schema));
    refuse(missingRights(await missingOwnRights(database), queueRights));
    const schema = await preparedSchema(database, defaultTenantId, log);
    const open = await openSchema(database);
    if (open !== undefined)
      log.warn(
        `anybody may create functions in schema ${open}: REVOKE CREATE ON SCHEMA ${open} FROM PUBLIC;`,
      );
    await preparePartitions(database, new Date());
    if (queue && !(await isQueueMade(asked, queue.schema))) await makeQueue(queue, onIdleError);
    return schema;
  } finally {
    await Promise.all([database.end(), elsewhere?.end()]);
  }
}

/**
 * Room: db. Promises: one way to speak SQL (a pool, a client, a transaction), one answer to whether a failure passes,
 * and one list of the advisory locks.
 */

import pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError, DependencyUnavailableError } from '../contracts/errors.js';
import { type ClientTraits, clientClass, type HostedClient } from './client.js';
import { hostUrls, inTurn, NotWritableError, requireWritable } from './hosts.js';
import { DIRECT, type Pooling } from './pooling.js';
import type { Queryable } from './queryable.js';
import { applySettings, parseOptions, type Setting } from './sessionSettings.js';

export type { Queryable };

export type Database = pg.Pool;

export interface DatabaseOptions {
  /** A URL; where it names several hosts, each connection goes to one that is there and takes writes. */
  connectionString: string;
  /** False where a standby will do. */
  takesWrites?: boolean;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  maxConnections: number;
  /** How long a caller waits for a statement, in ms. An API answer must be out within 2 s; a worker may wait. */
  queryTimeoutMs: number;
  /** How long a caller may wait for a connection, in ms; by default as long as one may take to be made. */
  connectionWaitMs?: number;
  /** Whether the server ends a statement before its caller gives it up, which else would go on for nobody. */
  boundStatements?: boolean;
  /** Further settings of each connection, as libpq writes them: `-c search_path=bullmq`. */
  options?: string;
  /** What is in between; unless told, Postgres itself. */
  pooling?: Pooling;
  onIdleError: (error: Error) => void;
}

/** A statement ends this share of its caller's patience before the caller gives up, and so says why. */
const STATEMENT_SHARE = 0.95;

/** The process's pool. Nothing is connected until the first query. */
export function createDatabase(options: DatabaseOptions): Database {
  const { queryTimeoutMs, boundStatements = false, takesWrites = true, pooling = DIRECT } = options;
  const hosts = inTurn(hostUrls(options.connectionString));
  const bound = boundStatements ? Math.round(queryTimeoutMs * STATEMENT_SHARE) : undefined;
  // A setting would stay on the pooler's connection, for whoever has it next.
  const keepsSettings = pooling.mode !== 'transaction';
  const settings: Setting[] = [
    // Dates are read and written as ISO 8601 has them, whatever the server's or the role's own style. PgBouncer carries
    // this one setting along with its client in any mode.
    ['DateStyle', 'ISO'],
    // The SQL here, and BullMQ's, counts on seeing what was committed while it waited for a lock, whatever the role's own.
    ...(keepsSettings ? [['default_transaction_isolation', 'read committed'] as const] : []),
    ...(bound !== undefined && keepsSettings ? [['statement_timeout', String(bound)] as const] : []),
    ...parseOptions(options.options ?? ''),
  ];
  const traits: ClientTraits = {
    keepsStatements: pooling.keepsStatements,
    cancelAfterMs: keepsSettings ? undefined : bound,
    connectionString: hosts.current,
    onFailure: hosts.leave,
  };
  const pool = new pg.Pool({
    Client: clientClass(traits) as unknown as new () => pg.ClientBase,
    application_name: options.applicationName,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectionWaitMs ?? answerBudget().connection,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    async onConnect(client) {
      await applySettings(client, settings);
      if (hosts.count === 1 || !takesWrites) return;
      await requireWritable(client).catch((error: unknown) => {
        (client as HostedClient).leaveHost();
        throw error;
      });
    },
  });
  // Without a listener an idle connection that the server closes would end the process.
  pool.on('error', options.onIdleError);
  return pool;
}

/**
 * Runs `work` in one transaction: commits its result, or rolls back and rethrows. After a server that did not
 * answer, a ROLLBACK would wait as long again. The connection is dropped instead, and Postgres then rolls back.
 *
 * @param signal ends it at once when aborted, whatever statement is under way.
 */
export async function withTransaction<T>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withClient(database, async (client, drop) => {
    const cut = (): void => {
      drop();
      cutOff(client);
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', cut, { once: true });
    try {
      // Said each time for a pooler in transaction mode, where no connection keeps the setting.
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      if (isTransient(error)) drop();
      else await client.query('ROLLBACK').catch(drop);
      throw error;
    } finally {
      signal?.removeEventListener('abort', cut);
    }
  });
}

/** Ends a connection in the middle of a statement, whose caller then gets an error at once; Postgres rolls back by itself. */
function cutOff(client: pg.PoolClient): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/**
 * Lends `work` one connection of the pool. `drop` throws the connection away afterwards instead of giving it to the next
 * caller. A connection that breaks while it is lent emits an error, which would end the process if nobody listened. The
 * query under way, or the next one, fails with the same reason.
 */
export async function withClient<T>(
  database: Database,
  work: (client: pg.PoolClient, drop: () => void) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  let broken = false;
  const drop = (): void => {
    broken = true;
  };
  client.on('error', drop);
  try {
    return await work(client, drop);
  } finally {
    client.off('error', drop);
    client.release(broken);
  }
}

/**
 * SQLSTATEs that mean "not now" rather than "not so": connection, resources, operator, conflicts, system; also
 * a password being changed (28), a database being restored (3D), a pooler that lost a prepared statement
 * (26000) or has another's of the same name (42P05), a right not granted yet (42501), a lock not had in time (55P03).
 */
const TRANSIENT_SQLSTATE = /^(08|53|57|40|58|28|3D|25|XX|26000|42P05|42501|55P03)/;

/**
 * Whether a database takes no connections (`ALLOW_CONNECTIONS false`), as while it is moved. Its SQLSTATE, 55000, is that of
 * many mistakes, and its text is in the server's language: the place in Postgres that refuses tells it apart.
 */
function isClosedDatabase(error: Error): boolean {
  return error instanceof pg.DatabaseError && error.routine === 'CheckMyDatabase';
}

/** Mistakes in our own code; they say nothing about the connection. */
const PROGRAMMING_ERRORS = [TypeError, RangeError, SyntaxError, ReferenceError];

/**
 * Whether the same statement may well succeed later, unchanged. What Postgres itself says decides by its
 * SQLSTATE; everything else that pg, the network or TLS throws is about the connection.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  if (error instanceof pg.DatabaseError || error instanceof NotWritableError)
    return TRANSIENT_SQLSTATE.test(error.code ?? '') || isClosedDatabase(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined || /^(E[A-Z]+|ERR_(TLS|SSL|SOCKET)\w*|CERT_\w+|\w+_CERT\w*)$/.test(code ?? ''))
    return true;
  return !PROGRAMMING_ERRORS.some((kind) => error instanceof kind) && CONNECTION_TEXT.test(error.message);
}

/** What pg and pg-pool say of a connection without any code. */
const CONNECTION_TEXT = /timeout|terminated|not queryable|Cannot use a pool after|SSL|socket|connection/i;

/**
 * Whether an error says nothing about the work that it ended: tried again, unchanged, the work may well succeed.
 *
 * Start-up has an answer of its own (`requirePostgres`, `local/postgres/clusterConnection`): there a wrong password, a
 * missing database or a host that refuses is what a person has to mend, though a running process waits for it.
 *
 * @param alsoPassing kinds of error that only the caller knows to pass.
 */
export function isPassing(error: unknown, ...alsoPassing: ((error: unknown) => boolean)[]): boolean {
  if (error instanceof ApiError) return error.status >= 500;
  if (error instanceof DependencyUnavailableError || isTransient(error)) return true;
  return alsoPassing.some((isKind) => isKind(error));
}

/** Rethrows what Postgres being away looks like as DependencyUnavailableError, everything else as it is. */
export function rethrowUnavailable(error: unknown): never {
  if (isTransient(error)) throw new DependencyUnavailableError('postgres', error);
  throw error;
}

/**
 * Room: db. Promises: one way to speak SQL (a pool, a client, a transaction), one answer to whether a failure passes,
 * and one list of the advisory locks.
 */

import pg from 'pg';
import { answerBudget } from '../contracts/answerBudget.js';
import { ApiError, DependencyUnavailableError } from '../contracts/errors.js';

/** What a store needs to speak SQL: the pool, or one client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    query: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export type Database = pg.Pool;

export interface DatabaseOptions {
  connectionString: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  maxConnections: number;
  /** How long a caller waits for a statement, in ms. An API answer must be out within 2 s; a worker may wait. */
  queryTimeoutMs: number;
  /** Extra libpq options, for the queue's own schema. */
  options?: string;
  onIdleError: (error: Error) => void;
}

/** The process's pool. Nothing is connected until the first query. */
export function createDatabase(options: DatabaseOptions): Database {
  const { connectionString, ownOptions } = splitOptions(options.connectionString);
  const pool = new pg.Pool({
    connectionString,
    application_name: options.applicationName,
    max: options.maxConnections,
    connectionTimeoutMillis: answerBudget().connection,
    query_timeout: options.queryTimeoutMs,
    keepAlive: true,
    // Dates are read and written as ISO 8601 has them, whatever the server's or the role's own style.
    options: ['-c DateStyle=ISO', ownOptions, options.options].filter(Boolean).join(' '),
  });
  // Without a listener an idle connection that the server closes would end the process.
  pool.on('error', options.onIdleError);
  return pool;
}

/** In pg the URL's `options` (a search_path, say) replace those given beside it, so ours are added to the URL's. */
function splitOptions(url: string): { connectionString: string; ownOptions: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const ownOptions = parsed?.searchParams.get('options');
  if (!parsed || !ownOptions) return { connectionString: url, ownOptions: '' };
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, ownOptions };
}

/**
 * Runs `work` in one transaction: commits its result, or rolls back and rethrows. After a server that did not
 * answer, a ROLLBACK would wait as long again. The connection is dropped instead, and Postgres then rolls back.
 */
export async function withTransaction<T>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return withClient(database, async (client, drop) => {
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      if (isTransient(error)) drop();
      else await client.query('ROLLBACK').catch(drop);
      throw error;
    }
  });
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
 * (26000), a right not granted yet (42501), a lock not had in time (55P03).
 */
const TRANSIENT_SQLSTATE = /^(08|53|57|40|58|28|3D|25|XX|26000|42501|55P03)/;

/** Mistakes in our own code; they say nothing about the connection. */
const PROGRAMMING_ERRORS = [TypeError, RangeError, SyntaxError, ReferenceError];

/**
 * Whether the same statement may well succeed later, unchanged. What Postgres itself says decides by its
 * SQLSTATE; everything else that pg, the network or TLS throws is about the connection.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  if (error instanceof pg.DatabaseError) return TRANSIENT_SQLSTATE.test(error.code ?? '');
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

import pg from 'pg';
import { DependencyUnavailableError } from './contracts/errors.js';

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
  /** How long a caller may wait for an answer, in ms; API answers must be out within 2 s, workers may wait. */
  queryTimeoutMs: number;
  /** Extra libpq options, for the queue's own schema. */
  options?: string;
  onIdleError: (error: Error) => void;
}

/** 1 s: a connection inside a region takes tens of ms, and the API has 2 s for its whole answer. */
const CONNECT_TIMEOUT_MS = 1_000;

/** The process's pool. Nothing is connected until the first query. */
export function createDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    application_name: options.applicationName,
    max: options.maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: options.queryTimeoutMs,
    keepAlive: true,
    ...(options.options === undefined ? {} : { options: options.options }),
  });
  // Without a listener an idle connection that the server closes would end the process.
  pool.on('error', options.onIdleError);
  return pool;
}

/**
 * Runs `work` in one transaction: commits its result, or rolls back and rethrows. Where the server did not
 * answer, asking it to roll back would wait as long again: the connection is dropped, which does the same.
 */
export async function withTransaction<T>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  let broken: Error | boolean = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    broken =
      isTransient(error) ||
      (await client.query('ROLLBACK').then(
        () => false,
        (rollbackError: Error) => rollbackError,
      ));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** SQLSTATE classes that mean "not now" rather than "not so": connection, resources, operator, conflicts. */
const TRANSIENT_SQLSTATE = /^(08|53|57|40|55P03|25006|58)/;

/** Node and pg-pool failures that carry no SQLSTATE. */
const TRANSIENT_TEXT =
  /timeout|terminated|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|Connection ended|not queryable|Cannot use a pool after/i;

/** Whether the same statement may well succeed later, unchanged. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isTransient);
  const code = (error as { code?: unknown }).code;
  if (error instanceof pg.DatabaseError) return TRANSIENT_SQLSTATE.test(String(code));
  return TRANSIENT_TEXT.test(`${String(code)} ${error.message}`);
}

/** Rethrows what Postgres being away looks like as DependencyUnavailableError, everything else as it is. */
export function rethrowUnavailable(error: unknown): never {
  if (isTransient(error)) throw new DependencyUnavailableError('postgres', error);
  throw error;
}

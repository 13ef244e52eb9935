import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartupError } from '../contracts/errors.js';

/** Postgres 14: what the SQL here is tested from, and the oldest still maintained when this was written. */
const MINIMUM_MAJOR = 14;
const CONNECT_TIMEOUT_MS = 5_000;

/** Time for some five tries of a second each. On a machine where ten processes start at once, the first may fail. */
const CONNECT_PATIENCE_MS = 8_000;
const CONNECT_PAUSE_MS = 1_000;

/** Postgres shuts down, starts, recovers, or has no connection left: each of these passes. */
const BUSY_SQLSTATE = /^(08|57P0[123]|53300)/;
const LOST_CONNECTION = /timeout|terminated|ECONNRESET|ETIMEDOUT|EPIPE/i;

/**
 * Runs what start-up needs Postgres for, and runs it again if the connection fails. On a loaded machine such a failure
 * passes, and must not end a process that starts beside others. A server that refuses is not asked again.
 *
 * @param work may run several times.
 * @throws StartupError when the connection fails every time; any other error as it is.
 */
export async function whenConnected<T>(connectionString: string, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + CONNECT_PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionFailure(error)) throw error;
      if (performance.now() > giveUpAt) throw unusable(connectionString, error);
      await sleep(CONNECT_PAUSE_MS);
    }
  }
}

function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StartupError) return false;
  if (error instanceof pg.DatabaseError) return BUSY_SQLSTATE.test(error.code ?? '');
  return LOST_CONNECTION.test(`${(error as NodeJS.ErrnoException).code} ${error.message}`);
}

function placeOf(connectionString: string): string {
  const url = new URL(connectionString);
  return `Postgres at ${url.hostname}:${url.port || '5432'}${url.pathname}`;
}

function unusable(connectionString: string, error: unknown): StartupError {
  const { code, message } = error as { code?: string; message?: string };
  return new StartupError(
    `${placeOf(connectionString)} cannot be used (${message || code}): start it, or correct DATABASE_URL, or unset it and run npm start for an embedded one.`,
    { cause: error },
  );
}

/**
 * Connects and looks at the server, so that start-up fails in one sentence.
 *
 * @throws StartupError when it cannot be reached, refuses, is too old, or takes no writes. The password is never shown.
 */
export async function requirePostgres(connectionString: string): Promise<void> {
  await whenConnected(connectionString, () => requireUsable(connectionString)).catch((error: unknown) => {
    throw error instanceof StartupError ? error : unusable(connectionString, error);
  });
}

async function requireUsable(connectionString: string): Promise<void> {
  const where = placeOf(connectionString);
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  // The connection may break between two awaits; the failing call says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{
      version: string;
      number: string;
      standby: boolean;
      readOnly: boolean;
    }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number,
         pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only')::boolean AS "readOnly"`,
    );
    const major = Math.floor(Number(rows[0]?.number) / 10_000);
    if (major < MINIMUM_MAJOR) {
      throw new StartupError(
        `${where} is version ${rows[0]?.version}: GridLens needs Postgres ${MINIMUM_MAJOR} or newer (DATABASE_URL).`,
      );
    }
    if (rows[0]?.standby)
      throw new StartupError(
        `${where} is a standby, which takes no writes: set DATABASE_URL to its primary.`,
      );
    if (rows[0]?.readOnly)
      throw new StartupError(
        `${where} has default_transaction_read_only on, so that nothing can be written: ALTER ROLE CURRENT_USER SET default_transaction_read_only = off; (in a transaction that is READ WRITE), or set it so for the database.`,
      );
  } finally {
    await client.end().catch(() => undefined);
  }
}

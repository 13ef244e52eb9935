import pg from 'pg';
import { StartupError } from '../contracts/errors.js';

/** Postgres 14: what the SQL here is tested from, and the oldest still maintained when this was written. */
const MINIMUM_MAJOR = 14;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects once and looks at the server, so that start-up fails in one sentence.
 *
 * @throws StartupError when it cannot be reached, refuses, is too old, or takes no writes. The password is never shown.
 */
export async function requirePostgres(connectionString: string): Promise<void> {
  const url = new URL(connectionString);
  const where = `Postgres at ${url.hostname}:${url.port || '5432'}${url.pathname}`;
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
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const { code, message } = error as { code?: string; message?: string };
    throw new StartupError(
      `${where} cannot be used (${message || code}): start it, or correct DATABASE_URL, or unset it and run npm start for an embedded one.`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

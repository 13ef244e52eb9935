import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartupError } from '../contracts/errors.js';
import { type DatabasePlace, databasePlace } from './deploymentIdentity.js';
import { hostUrls, withFirstHost } from './hosts.js';
import { findPooling, type Pooling } from './pooling.js';
import { parseOptions, settingsNotMade } from './sessionSettings.js';

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
  if (REFUSED_OPTIONS.test(error.message)) return false;
  if (error instanceof pg.DatabaseError) return BUSY_SQLSTATE.test(error.code ?? '');
  return LOST_CONNECTION.test(`${(error as NodeJS.ErrnoException).code} ${error.message}`);
}

/** Host and port, the first of several. */
function hostOf(connectionString: string): string {
  const url = new URL(hostUrls(connectionString)[0] as string);
  return `${url.hostname}:${url.port || '5432'}`;
}

function placeOf(connectionString: string): string {
  const urls = hostUrls(connectionString);
  return `Postgres at ${urls.map(hostOf).join(',')}${new URL(urls[0] as string).pathname}`;
}

function unusable(connectionString: string, error: unknown, name = 'DATABASE_URL'): StartupError {
  const { code, message } = error as { code?: string; message?: string };
  if (REFUSED_OPTIONS.test(message ?? '')) return optionsRefused(connectionString, name, 'refuses');
  return new StartupError(
    `${placeOf(connectionString)} cannot be used (${message || code}): ${adviceOn(message ?? '', name)}.`,
    { cause: error },
  );
}

/** PgBouncer's words, with the name of the setting from 1.20 on. */
const REFUSED_OPTIONS = /unsupported startup parameter(: options| in options)/;
/** What Node says of a certificate that nobody it knows has signed, or of one for another host. */
const NOT_TRUSTED = /self.signed certificate|unable to (get|verify)|certificate|altnames/i;
const NO_TLS = /does not support SSL/i;
const NO_CONNECTION_LEFT = /connection slots|too many (clients|connections)|no more connections allowed/i;

function adviceOn(message: string, name: string): string {
  if (NO_CONNECTION_LEFT.test(message))
    return 'raise its max_connections, run fewer processes, lower their DATABASE_POOL_MAX and QUEUE_POOL_MAX, or put PgBouncer before it';
  if (NO_TLS.test(message)) return `turn TLS on there, or take sslmode out of ${name}`;
  if (NOT_TRUSTED.test(message))
    return `name the file of its certificate authority, with sslmode=verify-full&sslrootcert=/path/ca.pem in ${name} or by NODE_EXTRA_CA_CERTS=/path/ca.pem, or, where nobody can be in between, set sslmode=no-verify`;
  return `start it, or correct ${name}${name === 'DATABASE_URL' ? ', or unset it and run npm start for an embedded one' : ''}`;
}

/** A Postgres that can be used. */
export interface UsablePostgres {
  /** Of several hosts the one that was found usable is the first. */
  url: string;
  pooling: Pooling;
  /** Which database it is, by whatever way it is reached. */
  place: DatabasePlace;
}

/**
 * Connects and looks at the server and what stands before it, so that start-up fails in one sentence.
 *
 * @param name of the setting that has the URL.
 * @throws StartupError when it cannot be reached, refuses, is too old, or takes no writes. The password is never shown.
 */
export async function requirePostgres(
  connectionString: string,
  name = 'DATABASE_URL',
): Promise<UsablePostgres> {
  return whenConnected(connectionString, () => firstUsable(connectionString, name)).catch(
    (error: unknown) => {
      throw error instanceof StartupError ? error : unusable(connectionString, error, name);
    },
  );
}

/** The first host that is usable; else the last one's refusal. */
async function firstUsable(connectionString: string, name: string): Promise<UsablePostgres> {
  let refusal: unknown;
  for (const [at, url] of hostUrls(connectionString).entries()) {
    try {
      return { ...(await requireUsable(url, name)), url: withFirstHost(connectionString, at) };
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

async function requireUsable(connectionString: string, name: string): Promise<Omit<UsablePostgres, 'url'>> {
  return withClients(connectionString, async (client, another) => {
    await requireServer(client, placeOf(connectionString), name);
    await requireOwnOptions(client, connectionString, name);
    return { place: await databasePlace(client), pooling: await findPooling(client, another) };
  });
}

/**
 * What stands before a server of which nothing else is asked, as of a standby.
 *
 * @throws what the connection says.
 */
export function poolingBefore(connectionString: string): Promise<Pooling> {
  return withClients(hostUrls(connectionString)[0] as string, findPooling);
}

/** Connects for a look, and closes whatever was connected. */
async function withClients<T>(
  connectionString: string,
  work: (client: pg.Client, another: () => Promise<pg.Client>) => Promise<T>,
): Promise<T> {
  const clients: pg.Client[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CONNECT_TIMEOUT_MS,
    });
    // The connection may break between two awaits; the failing call says so.
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    return await work(await connect(), connect);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** @throws StartupError for a server that is too old, or takes no writes. */
async function requireServer(client: pg.Client, where: string, name: string): Promise<void> {
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
      `${where} is version ${rows[0]?.version}: GridLens needs Postgres ${MINIMUM_MAJOR} or newer (${name}).`,
    );
  }
  if (rows[0]?.standby)
    throw new StartupError(`${where} is a standby, which takes no writes: set ${name} to its primary.`);
  if (rows[0]?.readOnly)
    throw new StartupError(
      `${where} has default_transaction_read_only on, so that nothing can be written: ALTER ROLE CURRENT_USER SET default_transaction_read_only = off; (in a transaction that is READ WRITE), or set it so for the database.`,
    );
}

/** @throws StartupError when the URL's own `options` have got lost on the way. */
async function requireOwnOptions(client: pg.Client, connectionString: string, name: string): Promise<void> {
  const options = new URL(connectionString).searchParams.get('options') ?? '';
  const lost = await settingsNotMade(client, parseOptions(options));
  if (lost.length > 0)
    throw optionsRefused(connectionString, name, `does not pass on ${lost.join(', ')} from`);
}

function optionsRefused(connectionString: string, name: string, how: string): StartupError {
  return new StartupError(
    `The pooler at ${hostOf(connectionString)} ${how} the options in ${name} (PgBouncer's ignore_startup_parameters has a say in it): take them out of the URL and set the same for the role, as in ALTER ROLE gridlens SET search_path = ami;, or set ${name} to Postgres itself.`,
  );
}

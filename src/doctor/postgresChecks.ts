import { clockDifferenceMs } from '../db/databaseClock.js';
import { createDatabase, type Database } from '../db/db.js';
import { hostUrls } from '../db/hosts.js';
import { poolingBefore } from '../db/requirePostgres.js';
import type { Config } from '../process/config.js';
import { connectionSupply } from '../process/connectionBudget.js';
import { API_POOL, WORKER_POOL } from '../process/context.js';
import type { PostgresPlaces } from '../process/postgresPlaces.js';
import { missingPartitions } from '../reads/partitionUpkeep.js';
import { shownRelation } from '../schema/identifiers.js';
import type { SchemaMapping } from '../schema/mapping.js';
import {
  missingOwnRights,
  missingQueueRights,
  missingRights,
  queueRefusal,
} from '../schema/ownPrivileges.js';
import { clockTrouble } from '../status/clockWatch.js';
import { workersState } from '../status/status.js';
import { liveWorkers } from '../status/workers.js';
import { fail, ok, type Verdict, warn } from './checks.js';

/** Connections with which a doctor looks: one, since too few may be what it is called for. */
export function openForLooking(connectionString: string, pooling: PostgresPlaces['pooling']): Database {
  return createDatabase({
    connectionString,
    pooling,
    applicationName: 'gridlens-doctor',
    maxConnections: 1,
    queryTimeoutMs: 5_000,
    connectionWaitMs: 5_000,
    onIdleError: () => undefined, // The check under way fails with the same reason.
  });
}

export async function version(database: Database): Promise<Verdict> {
  const { rows } = await database.query<{ version: string; name: string; role: string }>(
    `SELECT current_setting('server_version') AS version, current_database() AS name, current_user AS role`,
  );
  const [found] = rows as [(typeof rows)[number]];
  return ok(
    `Postgres ${found.version} answers, database ${found.name}, role ${found.role}; it takes writes.`,
  );
}

const ON_THIS_MACHINE = /^(localhost|127\.|\[?::1\]?$|$)/;

/** Whether the way to Postgres is encrypted, and what pools connections on it. */
export async function connectionMode(database: Database, places: PostgresPlaces): Promise<Verdict> {
  const { mode } = places.pooling;
  const pooler = mode === 'none' ? 'no pooler in between' : `a pooler in ${mode} mode in between`;
  // A pooler's own TLS to Postgres says nothing of the way from here to the pooler.
  const url = new URL(hostUrls(places.databaseUrl)[0] as string);
  if (mode === 'none') {
    const { rows } = await database.query<{ tls: string | null }>(
      'SELECT version AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl',
    );
    if (rows[0]) return ok(`encrypted (${rows[0].tls}), ${pooler}.`);
  } else if (/^(require|verify-ca|verify-full|no-verify)$/.test(url.searchParams.get('sslmode') ?? '')) {
    return ok(`encrypted, ${pooler}.`);
  }
  if (ON_THIS_MACHINE.test(url.hostname)) return ok(`not encrypted, on this machine, ${pooler}.`);
  return warn(`not encrypted, ${pooler}: add sslmode=verify-full to DATABASE_URL.`);
}

export async function clock(database: Database, toleranceSeconds: number): Promise<Verdict> {
  const differenceMs = await clockDifferenceMs(database);
  const trouble = clockTrouble(differenceMs, toleranceSeconds);
  return trouble === undefined
    ? ok(`this machine's clock and the database's agree within ${toleranceSeconds} s.`)
    : fail(`${trouble}.`);
}

/** Rights on GridLens's own tables, and on the queue where that is in Postgres. */
export async function rights(database: Database, queue: PostgresPlaces['queue']): Promise<Verdict> {
  const own = await missingOwnRights(database);
  const lacking = queue === undefined ? missingRights(own, undefined) : await lackingWithQueue(own, queue);
  return lacking === undefined ? ok(`role ${own.role} has the rights that it needs.`) : fail(lacking);
}

async function lackingWithQueue(
  own: Awaited<ReturnType<typeof missingOwnRights>>,
  { url, pooling, schema }: NonNullable<PostgresPlaces['queue']>,
): Promise<string | undefined> {
  const database = openForLooking(url, pooling);
  try {
    return (
      missingRights(own, await missingQueueRights(database, schema)) ?? (await queueRefusal(database, schema))
    );
  } finally {
    await database.end();
  }
}

export function mapping(found: SchemaMapping | undefined): Verdict {
  if (found === undefined)
    return fail(
      'the database is not prepared for this version: run npm run migrate (npm run migrate -- --plan says what it changes), or npm start.',
    );
  const { reads, registry } = found;
  const whose = reads.own ? "GridLens's own" : 'one that was there';
  return ok(
    `prepared: reads go to ${shownRelation(reads.table)}, ${whose}; meters are in ${shownRelation(registry.meters.table)}.`,
  );
}

/** Whether one API and the workers that are alive, or one, get the connections that they may take. */
export async function connections(
  database: Database,
  { pooling, queue }: PostgresPlaces,
  { databasePoolMax, queuePoolMax }: Config,
): Promise<Verdict> {
  if (pooling.mode === 'transaction')
    return ok('a pooler shares the connections of Postgres among its clients.');
  const { usable, used } = await connectionSupply(database);
  const { rows } = await database.query<{ held: number }>(
    `SELECT count(*)::int AS held FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'gridlens-%'`,
  );
  const { held = 0 } = rows[0] ?? {};
  const workers = Math.max(1, (await liveWorkersOrNone(database)).length);
  const ofOne = ({ maxConnections, queueConnections }: typeof API_POOL): number =>
    (databasePoolMax ?? maxConnections) + (queue === undefined ? 0 : (queuePoolMax ?? queueConnections));
  const needed = ofOne(API_POOL) + workers * ofOne(WORKER_POOL);
  const free = Math.max(0, Math.min(usable, usable - used + held));
  const processes = `one API and ${workers === 1 ? 'one worker' : `${workers} workers`}`;
  if (needed <= free)
    return ok(`${processes} may take ${needed}, and ${free} of ${usable} are there for them.`);
  return fail(
    `${processes} may take ${needed}, and only ${free} of ${usable} are there for them: raise the limit of the server, role or database, lower DATABASE_POOL_MAX or QUEUE_POOL_MAX, or put PgBouncer before Postgres (docs/topologies.md).`,
  );
}

/** None too where the table is not there yet: connections are counted before anything is prepared. */
async function liveWorkersOrNone(database: Database): Promise<unknown[]> {
  const { rows } = await database.query<{ there: boolean }>(
    `SELECT coalesce(has_table_privilege(to_regclass('ami_workers'), 'SELECT'), false) AS there`,
  );
  return rows[0]?.there ? liveWorkers(database) : [];
}

export async function partitions(database: Database, { reads }: SchemaMapping): Promise<Verdict> {
  if (!reads.own)
    return ok('the table of reads was there before GridLens, whose partitions are its owner’s.');
  const missing = await missingPartitions(database, new Date());
  if (missing.length === 0) return ok('the days from yesterday to a week ahead have their partitions.');
  return fail(
    `no partition for ${missing.join(', ')}: run npm run migrate, and keep a worker running, which makes them as days go by.`,
  );
}

export async function worker(database: Database, { maxReadsPerSecond }: Config): Promise<Verdict> {
  const { ok: works, advice, reason } = await workersState(database, maxReadsPerSecond);
  if (!works) return fail(`${advice ?? reason}.`);
  const alive = (await liveWorkers(database)).length;
  if (alive === 0)
    return fail('the last worker has stopped within the last minute: start one with npm run worker.');
  return ok(alive === 1 ? 'one worker is alive and does jobs.' : `${alive} workers are alive and do jobs.`);
}

/** Of DATABASE_READ_URL; while it is away everything is read from the primary. */
export async function standby(url: string): Promise<Verdict> {
  try {
    const { mode } = await poolingBefore(url);
    return ok(
      `the standby of DATABASE_READ_URL answers${mode === 'none' ? '' : `, over a pooler in ${mode} mode`}.`,
    );
  } catch (error) {
    return warn(
      `the standby of DATABASE_READ_URL does not answer (${(error as Error).message}): start it, or unset DATABASE_READ_URL; meanwhile the primary is read.`,
    );
  }
}

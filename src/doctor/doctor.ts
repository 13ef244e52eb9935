/**
 * Room: doctor. Promises: to say in a line each what may keep a deployment from working, and what to do. It only reads,
 * and each look ends within its time.
 */

import type { Database } from '../db/db.js';
import type { Config } from '../process/config.js';
import { type PostgresPlaces, requirePostgresPlaces } from '../process/postgresPlaces.js';
import type { SchemaMapping } from '../schema/mapping.js';
import { preparedMapping } from '../schema/prepareSchema.js';
import { checked, type Finding, notChecked, ok, warn } from './checks.js';
import { apiPort, diskSpace, nodeVersion } from './machineChecks.js';
import * as postgres from './postgresChecks.js';
import { redisChecks, schedulers } from './queueChecks.js';

const IN_POSTGRES = ['TLS and pooler', 'Clock', 'Rights', 'Schema', 'Connections'] as const;
const IN_TABLES = ['Partitions', 'Worker', 'Schedulers'] as const;

/**
 * Everything there is to look at, in its order.
 *
 * @param readConfig throws where the configuration is wrong: the machine is looked at all the same.
 * @param databaseUrlOf where Postgres is; undefined where `npm start` has brought none yet.
 */
export async function examine(
  readConfig: () => Config,
  databaseUrlOf: (config: Config) => Promise<string | undefined>,
): Promise<Finding[]> {
  const findings = [await checked('Node', nodeVersion)];
  let config: Config | undefined;
  findings.push(
    await checked('Configuration', async () => {
      config = readConfig();
      return ok('the environment and .env are as they should be.');
    }),
  );
  if (config === undefined) return findings;
  const settings: Config = config;
  findings.push(await checked('Disk', () => diskSpace(settings)));
  findings.push(await checked('Port', () => apiPort(settings)));
  const databaseUrl = await databaseUrlOf(settings);
  return [
    ...findings,
    ...(await examineServers({ ...settings, databaseUrl }, settings.databaseUrl === undefined)),
  ];
}

async function examineServers(config: Config, isEmbedded: boolean): Promise<Finding[]> {
  let places: PostgresPlaces | undefined;
  const reached = await checked('Postgres', async () => {
    if (config.databaseUrl === undefined)
      return warn('npm start has made no Postgres here yet: run npm start, or set DATABASE_URL.');
    places = await requirePostgresPlaces(config).catch((error: Error) => {
      if (isEmbedded && /ECONNREFUSED/.test(error.message)) return undefined;
      throw error;
    });
    if (places === undefined) return warn('the Postgres of npm start is not running: run npm start.');
    return ok('');
  });
  if (places === undefined) {
    const why = 'Postgres cannot be asked';
    const redis = config.redisUrl === undefined ? [] : ['Redis'];
    return [reached, ...notChecked([...IN_POSTGRES, ...IN_TABLES, ...redis], why)];
  }
  const { databaseUrl, pooling, redisPrefix } = places;
  const database = postgres.openForLooking(databaseUrl, pooling);
  try {
    return [
      ...(await examineDatabase(config, places, database)),
      ...(config.redisUrl === undefined
        ? []
        : await redisChecks(config.redisUrl, redisPrefix, config.clockToleranceSeconds)),
    ];
  } finally {
    await database.end();
  }
}

/** One after the other: they share a connection. */
async function examineDatabase(
  config: Config,
  places: PostgresPlaces,
  database: Database,
): Promise<Finding[]> {
  const [tls, clock, rights, schema, connections] = IN_POSTGRES;
  const found = [
    await checked('Postgres', () => postgres.version(database)),
    await checked(tls, () => postgres.connectionMode(database, places)),
    await checked(clock, () => postgres.clock(database, config.clockToleranceSeconds)),
    await checked(connections, () => postgres.connections(database, places, config)),
  ];
  const { databaseReadUrl } = config;
  if (databaseReadUrl !== undefined)
    found.push(await checked('Standby', () => postgres.standby(databaseReadUrl)));
  const allowed = await checked(rights, () => postgres.rights(database, places.queue));
  found.push(allowed);
  if (allowed.state === 'fail')
    return [...found, ...notChecked([schema, ...IN_TABLES], 'the role lacks rights')];
  let mapping: SchemaMapping | undefined;
  found.push(
    await checked(schema, async () => {
      mapping = await preparedMapping(database, config);
      return postgres.mapping(mapping);
    }),
  );
  if (mapping === undefined) return [...found, ...notChecked(IN_TABLES, 'the schema is not prepared')];
  const prepared: SchemaMapping = mapping;
  const [partitions, worker, scheduler] = IN_TABLES;
  return [
    ...found,
    await checked(partitions, () => postgres.partitions(database, prepared)),
    await checked(worker, () => postgres.worker(database, config)),
    await checked(scheduler, () => schedulers(database, places, config)),
  ];
}

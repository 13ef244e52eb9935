import { ownFile } from '../../ownFiles/ownFile.js';
import type { Config } from '../../process/config.js';
import { stopLeftPostgres } from '../postgres/clusterStop.js';
import type { Part, Reported } from './supervisor.js';

/** Postgres first; API and worker migrate by themselves, one at a time. */
export function stagesOf(config: Config, apiKeys: readonly string[]): Part[][] {
  const env = (reported: Reported) => ({
    DATABASE_URL: databaseUrl(config, reported),
    GRIDLENS_API_KEY: apiKeys.join(','),
    // Read already; a part refuses to have both.
    DATABASE_URL_FILE: '',
    GRIDLENS_API_KEY_FILE: '',
    ...(config.databaseUrl === undefined && { GRIDLENS_EMBEDDED: '1' }),
  });
  const services: Part[] = [
    { name: 'api', modulePath: programPath('index.js'), env },
    { name: 'worker', modulePath: programPath('worker.js'), env },
  ];
  return config.databaseUrl === undefined ? [[postgresPart(config.dataDir)], services] : [services];
}

/** Postgres is no child of its part, so a killed part does not take Postgres along. It is looked for afterwards. */
export function postgresPart(dataDir: string): Part {
  return {
    name: 'postgres',
    modulePath: programPath('local/postgres/postgresPart.js'),
    args: [dataDir],
    afterStop: (by) => stopLeftPostgres(dataDir, { immediateAfter: () => by - 300 }),
  };
}

/** The URL that was given, else the embedded Postgres's, which changes only if that comes back on another port. */
export function databaseUrl(config: Config, reported: Reported): string {
  return config.databaseUrl ?? String(reported.postgres?.connectionString);
}

/** Of a compiled program. */
const programPath = (name: string): string => ownFile('dist', name);

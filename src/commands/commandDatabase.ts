import { join } from 'node:path';
import { stretchAnswerBudget } from '../contracts/answerBudget.js';
import { StartupError } from '../contracts/errors.js';
import { createDatabase, type Database } from '../db/db.js';
import { requirePostgres } from '../db/requirePostgres.js';
import { readIfThere } from '../local/keptFile.js';
import type { Config } from '../process/config.js';

/** DATABASE_URL, else where the Postgres is that `npm start` has brought on this machine; undefined where it has not. */
export async function commandDatabaseUrl(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
): Promise<string | undefined> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  return (await readIfThere(join(config.dataDir, 'database-url')))?.trim() || undefined;
}

/**
 * The database for a command run by hand: DATABASE_URL's, else the one that `npm start` has brought on this machine.
 *
 * @throws StartupError when there is neither, or it does not answer.
 */
export async function openCommandDatabase(config: Config, applicationName: string): Promise<Database> {
  stretchAnswerBudget(config.answerBudgetFactor);
  const connectionString = await commandDatabaseUrl(config);
  if (!connectionString) {
    throw new StartupError(
      'DATABASE_URL is not set, and npm start has made no Postgres here: set it, or run npm start first.',
    );
  }
  const { url, pooling } = await requirePostgres(connectionString);
  return createDatabase({
    connectionString: url,
    applicationName,
    maxConnections: 2,
    queryTimeoutMs: 600_000,
    pooling,
    onIdleError: () => undefined, // The query under way fails with the same reason.
  });
}

import { queueIdentity } from '../../src/db/deploymentIdentity.js';
import { requirePostgres } from '../../src/db/requirePostgres.js';

/** Of the keys in Redis of a deployment over this database. */
export async function queuePrefixOf(databaseUrl: string): Promise<string> {
  const { place } = await requirePostgres(databaseUrl);
  return queueIdentity(place, place).redisPrefix;
}

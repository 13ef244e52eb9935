import { StartupError } from '../contracts/errors.js';
import type { Queryable } from '../db/db.js';
import { registryQuery } from '../schema/functions/canonicalRegistry.js';
import { shownRelation } from '../schema/identifiers.js';
import type { RegistryMapping } from '../schema/mapping.js';
import { fleetRules } from './file/columnRules.js';
import { fitOf } from './file/fleetRows.js';
import { shown } from './file/fleetValues.js';
import { refusedAsSentence } from './file/refusals.js';
import { ambiguousFeeders, lockRegistry } from './file/registryChecks.js';
import { writeFeeders, writeMeters } from './file/writeRows.js';

/** The feeder of each of the tenant's meters, those out of service too; null of one on no feeder. */
export async function feedersOfMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
): Promise<Map<string, string | null>> {
  const { rows } = await client.query<{ meterId: string; feederId: string | null }>(
    `SELECT meter_id AS "meterId", min(feeder_id) AS "feederId" FROM (${registryQuery(registry)}) meter GROUP BY 1`,
    [tenantId],
  );
  return new Map(rows.map(({ meterId, feederId }) => [meterId, feederId]));
}

/** Why the registry's tables cannot hold a meter or a feeder of this name; undefined where they can. */
export function unfitForRegistry(
  registry: RegistryMapping,
  column: 'meter_id' | 'feeder_id',
  id: string,
): string | undefined {
  const fit = fitOf(fleetRules(registry), column, id);
  return 'problem' in fit ? fit.problem : undefined;
}

/**
 * Takes meters into the tenant's registry, each on the feeder that it is given with, in the caller's transaction.
 *
 * @param feederOf meter to feeder; the meters are not in the registry yet.
 * @throws StartupError one sentence about what the tables refuse.
 */
export async function registerMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  feederOf: ReadonlyMap<string, string>,
): Promise<number> {
  if (feederOf.size === 0) return 0;
  await lockRegistry(client);
  const feederIds = [...new Set(feederOf.values())];
  const names = feederIds.map(() => null);
  await refusedAsSentence(registry.feeders?.table ?? registry.meters.table, async () => {
    await writeFeeders(client, registry, tenantId, { feederIds, names });
    if (registry.feeders === null) return;
    const [first] = await ambiguousFeeders(client, registry, tenantId, feederIds);
    if (first)
      throw new StartupError(
        `No meter can be put on feeder ${shown(first.id)}: the table ${shownRelation(registry.feeders.table)} has it ${first.count} times.`,
      );
  });
  const meterIds = [...feederOf.keys()];
  const { added } = await refusedAsSentence(registry.meters.table, () =>
    writeMeters(client, registry, tenantId, {
      meterIds,
      feederIds: [...feederOf.values()],
      isActive: meterIds.map(() => null),
    }),
  );
  return added;
}

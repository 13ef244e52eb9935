import type { Queryable } from '../../db/db.js';
import { takeLock } from '../../db/locks.js';
import { registryQuery } from '../../schema/functions/canonicalRegistry.js';
import { quotedRelation } from '../../schema/identifiers.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { cast, type MeterColumns, of, sameTenant } from './writeRows.js';

/** What must hold around a load of the registry, though a customer's tables may not enforce it. */

/** One load at a time, until the transaction ends. */
export async function lockRegistry(client: Queryable): Promise<void> {
  await takeLock(client, 'registry');
}

/**
 * The feeders among `feederIds` that the table does not have exactly once, so that no meter can be put on them. To be
 * asked after writing, since a trigger may spell an id its own way.
 */
export async function ambiguousFeeders(
  client: Queryable,
  { feeders }: RegistryMapping,
  tenantId: string,
  feederIds: readonly string[],
): Promise<{ id: string; count: number }[]> {
  if (feeders === null) return [];
  const { rows } = await client.query<{ id: string; count: number }>(
    `SELECT line.id, count(${of('feeder', feeders.key)})::integer AS count
     FROM unnest($2::text[]) AS line (id) LEFT JOIN ${quotedRelation(feeders.table)} feeder
       ON ${of('feeder', feeders.feederId)} = ${cast('line.id', feeders.feederId)}
       AND ${sameTenant('feeder', feeders.tenantId)}
     GROUP BY line.id HAVING count(${of('feeder', feeders.key)}) <> 1 ORDER BY line.id COLLATE "C"`,
    [tenantId, feederIds],
  );
  return rows;
}

/** The meters among `meterIds` that the table has more than once. */
export async function repeatedMeters(
  client: Queryable,
  { meters }: RegistryMapping,
  tenantId: string,
  meterIds: readonly string[],
): Promise<string[]> {
  if (meters.own) return [];
  const { rows } = await client.query<{ id: string }>(
    `SELECT line.id FROM unnest($2::text[]) AS line (id) JOIN ${quotedRelation(meters.table)} meter
       ON ${of('meter', meters.meterId)} = ${cast('line.id', meters.meterId)} AND ${sameTenant('meter', meters.tenantId)}
     GROUP BY line.id HAVING count(*) > 1 ORDER BY line.id COLLATE "C"`,
    [tenantId, meterIds],
  );
  return rows.map(({ id }) => id);
}

/** How many of the meters are on another feeder now. */
export async function countMoved(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  { meterIds, feederIds }: MeterColumns,
): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM (${registryQuery(registry)}) meter
     JOIN unnest($2::text[], $3::text[]) AS line (meter_id, feeder_id) USING (meter_id)
     WHERE meter.feeder_id <> line.feeder_id`,
    [tenantId, meterIds, feederIds],
  );
  return rows[0]?.count ?? 0;
}

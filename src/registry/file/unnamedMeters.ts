import { StartupError } from '../../contracts/errors.js';
import type { Queryable } from '../../db/db.js';
import { PARAMETER_USED } from '../../schema/functions/canonicalRegistry.js';
import { quoted, quotedRelation, shownRelation } from '../../schema/identifiers.js';
import type { RegistryMapping } from '../../schema/mapping.js';
import { cast, of, sameTenant } from './writeRows.js';

/**
 * Meters in service that a file does not name: `no` leaves them, `half` takes them out of service unless they are more
 * than half of the tenant's, `any` however many they are.
 */
export type Retire = 'no' | 'half' | 'any';

/**
 * Counts the tenant's meters in service that are none of `meterIds`, and takes them out of service where that is asked
 * for. Their reads stay.
 *
 * @throws StartupError where more than half would go and `retire` is `half`, or the registry does not know who is in
 * service.
 */
export async function unnamedMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  meterIds: readonly string[],
  retire: Retire,
): Promise<number> {
  const { meters } = registry;
  const table = quotedRelation(meters.table);
  if (retire !== 'no' && meters.isActive === null) {
    throw new StartupError(
      `The table ${shownRelation(meters.table)} has no column that says whether a meter is in service: load without --retire.`,
    );
  }
  const inService =
    meters.isActive === null ? PARAMETER_USED : `${of('meter', meters.isActive)} IS NOT FALSE`;
  const ours = `${PARAMETER_USED} AND ${sameTenant('meter', meters.tenantId)} AND ${inService}`;
  const isNamed = `${cast('line.id', meters.meterId)} = ${of('meter', meters.meterId)}`;
  // A join, since Postgres would go through all ids for each meter where EXISTS stands in the list of columns.
  const { rows } = await client.query<{ unnamed: number; all: number }>(
    `SELECT count(*) FILTER (WHERE line.id IS NULL)::integer AS unnamed, count(*)::integer AS all
     FROM ${table} meter LEFT JOIN unnest($2::text[]) AS line (id) ON ${isNamed} WHERE ${ours}`,
    [tenantId, meterIds],
  );
  const { unnamed, all } = rows[0] ?? { unnamed: 0, all: 0 };
  if (retire === 'no' || unnamed === 0) return unnamed;
  if (retire === 'half' && unnamed * 2 > all) {
    throw new StartupError(
      `--retire would take ${unnamed} of the ${all} meters of ${tenantId} that are in service out of it: is the file whole? If so, say --retire-any-number.`,
    );
  }
  const changes = [
    `${quoted(meters.isActive?.name ?? '')} = false`,
    ...(meters.own ? ['updated_at = now()'] : []),
  ];
  await client.query(
    `UPDATE ${table} meter SET ${changes.join(', ')}
     WHERE ${ours} AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS line (id) WHERE ${isNamed})`,
    [tenantId, meterIds],
  );
  return unnamed;
}

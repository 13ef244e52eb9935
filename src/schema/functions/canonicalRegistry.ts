import { quoted, quotedRelation } from '../identifiers.js';
import type { MappedColumn, RegistryMapping } from '../mapping.js';

/**
 * The registry in canonical columns, as a subquery: one row a meter of the tenant `$1`, with `meter_id` text,
 * `feeder_id` text (NULL where the meter is on no feeder that there is) and `is_active` boolean. A meter id that is
 * there twice comes twice. Nothing is sorted.
 */
export function registryQuery({ meters, feeders }: RegistryMapping): string {
  const of = (table: string, column: MappedColumn): string => `${table}.${quoted(column.name)}`;
  const sameTenant = (table: string, column: MappedColumn | null): string[] =>
    column === null ? [] : [`${of(table, column)}::text = $1::text`];
  const feeder = feeders === null ? of('meter', meters.feeder) : of('feeder', feeders.feederId);
  const join =
    feeders === null
      ? ''
      : `LEFT JOIN ${quotedRelation(feeders.table)} feeder ON ${[
          // As text: the two may be of different types, or collations, which alone would be an error.
          `${of('feeder', feeders.key)}::text COLLATE "C" = ${of('meter', meters.feeder)}::text COLLATE "C"`,
          ...sameTenant('feeder', feeders.tenantId),
        ].join(' AND ')}`;
  const where = [
    `${of('meter', meters.meterId)} IS NOT NULL`,
    // Without a tenant column the parameter would have no use, and so no type.
    ...(meters.tenantId === null ? ['$1::text IS NOT NULL'] : sameTenant('meter', meters.tenantId)),
  ].join(' AND ');
  const isActive = meters.isActive === null ? 'true' : `${of('meter', meters.isActive)} IS NOT FALSE`;
  return `SELECT ${of('meter', meters.meterId)}::text COLLATE "C" AS meter_id,
      nullif(${feeder}::text, '') COLLATE "C" AS feeder_id, ${isActive} AS is_active
    FROM ${quotedRelation(meters.table)} meter ${join}
    WHERE ${where}`;
}

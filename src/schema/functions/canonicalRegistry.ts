import { quoted, quotedRelation } from '../identifiers.js';
import type { MappedColumn, RegistryMapping } from '../mapping.js';

/**
 * The registry in canonical columns, as a subquery: one row a meter of the tenant `$1`, with `meter_id` text,
 * `feeder_id` text (NULL where the meter is on no feeder that there is) and `is_active` boolean. A meter id that is
 * there twice comes twice. Nothing is sorted.
 */
export function registryQuery({ meters, feeders }: RegistryMapping): string {
  const of = (table: string, column: MappedColumn): string => `${table}.${quoted(column.name)}`;
  const feeder = feeders === null ? of('meter', meters.feeder) : of('feeder', feeders.feederId);
  const join =
    feeders === null
      ? ''
      : `LEFT JOIN ${quotedRelation(feeders.table)} feeder ON ${[
          // As text: the two may be of different types, or collations, which alone would be an error.
          `${of('feeder', feeders.key)}::text COLLATE "C" = ${of('meter', meters.feeder)}::text COLLATE "C"`,
          ...(feeders.tenantId === null ? [] : [ofTenant('feeder', feeders.tenantId)]),
        ].join(' AND ')}`;
  const where = [`${of('meter', meters.meterId)} IS NOT NULL`, ofTenant('meter', meters.tenantId)].join(
    ' AND ',
  );
  const isActive = meters.isActive === null ? 'true' : `${of('meter', meters.isActive)} IS NOT FALSE`;
  return `SELECT ${of('meter', meters.meterId)}::text COLLATE "C" AS meter_id,
      nullif(${feeder}::text, '') COLLATE "C" AS feeder_id, ${isActive} AS is_active
    FROM ${quotedRelation(meters.table)} meter ${join}
    WHERE ${where}`;
}

/** True of every row. A parameter that no column has a use for would have no type. */
export const PARAMETER_USED = '$1::text IS NOT NULL';

/**
 * That a row of `table` is of the tenant `$1`, where rows have tenants. Compared as text, since a request may name any
 * tenant: a column of numbers or UUIDs then has no such tenant, where a cast of the name would be an error. An index on
 * such a column is not used; a load of a file, which has checked the name, casts it (`registry/file/writeRows`).
 */
export function ofTenant(table: string, column: MappedColumn | null): string {
  return column === null ? PARAMETER_USED : `${table}.${quoted(column.name)}::text = $1::text`;
}

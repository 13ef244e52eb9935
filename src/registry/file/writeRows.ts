import type { Queryable } from '../../db/db.js';
import { PARAMETER_USED } from '../../schema/functions/canonicalRegistry.js';
import { quoted, quotedRelation } from '../../schema/identifiers.js';
import type { MappedColumn, RegistryMapping } from '../../schema/mapping.js';

/**
 * Writes meters and feeders, into our own tables and a customer's alike. A customer's may have no unique key on their
 * ids, so there is no ON CONFLICT: rows that differ are updated, then missing ones inserted, one load at a time.
 * Nothing but the mapped columns is written. Values travel as text and become the column's type here.
 */

export interface Written {
  added: number;
  /** Rows that differed. */
  updated: number;
}

/** Feeders as columns, each id once. A null name is not given: the feeder keeps the name that it has. */
export interface FeederColumns {
  feederIds: readonly string[];
  names: readonly (string | null)[];
}

/** Meters as columns, each id once. A null feeder puts the meter on none; a null `isActive` is not given. */
export interface MeterColumns {
  meterIds: readonly string[];
  feederIds: readonly (string | null)[];
  isActive: readonly (boolean | null)[];
}

/** The feeders' column of names; null where there is none. */
export function feederNameColumn({ feeders }: RegistryMapping): MappedColumn | null {
  const isName = ({ name, kind }: MappedColumn): boolean =>
    kind === 'text' && /^(feeder)?_?name$/i.test(name);
  return feeders?.aliases.find(isName) ?? null;
}

/** Brings the tenant's feeders up to date; without a table of feeders there is nothing to do. */
export async function writeFeeders(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  { feederIds, names }: FeederColumns,
): Promise<Written> {
  const { feeders } = registry;
  if (feeders === null) return { added: 0, updated: 0 };
  const table = quotedRelation(feeders.table);
  const line = `unnest($2::text[], $3::text[]) AS line (feeder_id, name)`;
  const isLine = [
    `${of('feeder', feeders.feederId)} = ${cast('line.feeder_id', feeders.feederId)}`,
    sameTenant('feeder', feeders.tenantId),
  ].join(' AND ');
  const values = [tenantId, feederIds, names];
  const name = names.some((given) => given !== null) ? feederNameColumn(registry) : null;
  let updated = 0;
  if (name !== null) {
    const result = await client.query(
      `UPDATE ${table} feeder SET ${quoted(name.name)} = line.name ${feeders.own ? ', updated_at = now()' : ''}
       FROM ${line} WHERE ${isLine} AND line.name IS NOT NULL AND ${of('feeder', name)}::text IS DISTINCT FROM line.name`,
      values,
    );
    updated = result.rowCount ?? 0;
  }
  const insert = insertInto(table, [
    ...tenantValue(feeders.tenantId),
    [feeders.feederId, cast('line.feeder_id', feeders.feederId)],
    ...columnValue(name, 'line.name'),
  ]);
  const inserted = await client.query(
    `${insert} FROM ${line}
     WHERE ${PARAMETER_USED} AND NOT EXISTS (SELECT FROM ${table} feeder WHERE ${isLine})`,
    values,
  );
  return { added: inserted.rowCount ?? 0, updated };
}

/** Brings the tenant's meters up to date; their feeders must be there. */
export async function writeMeters(
  client: Queryable,
  registry: RegistryMapping,
  tenantId: string,
  { meterIds, feederIds, isActive }: MeterColumns,
): Promise<Written> {
  const { meters } = registry;
  const table = quotedRelation(meters.table);
  const lines = `WITH line AS (${linesWithKeys(registry)})`;
  const isLine = `${of('meter', meters.meterId)} = line.meter_id AND ${sameTenant('meter', meters.tenantId)}`;
  const values = [tenantId, meterIds, feederIds, isActive];
  const feeder = quoted(meters.feeder.name);
  const moved = movedMeter(registry);
  const assignments = [
    `${feeder} = CASE WHEN ${moved} THEN line.feeder ELSE ${of('meter', meters.feeder)} END`,
  ];
  const differences = [moved];
  if (meters.isActive !== null) {
    const active = of('meter', meters.isActive);
    assignments.push(`${quoted(meters.isActive.name)} = coalesce(line.is_active, ${active})`);
    differences.push(`(${active} IS NOT FALSE) <> line.is_active`);
  }
  if (meters.own) assignments.push('updated_at = now()');
  const updated = await client.query(
    `${lines} UPDATE ${table} meter SET ${assignments.join(', ')} FROM line
     WHERE ${isLine} AND (${differences.join(' OR ')})`,
    values,
  );
  const insert = insertInto(table, [
    ...tenantValue(meters.tenantId),
    [meters.meterId, 'line.meter_id'],
    [meters.feeder, 'line.feeder'],
    ...columnValue(meters.isActive, 'coalesce(line.is_active, true)'),
  ]);
  const inserted = await client.query(
    `${lines} ${insert} FROM line WHERE NOT EXISTS (SELECT FROM ${table} meter WHERE ${isLine})`,
    values,
  );
  return { added: inserted.rowCount ?? 0, updated: updated.rowCount ?? 0 };
}

/** The given meters with what `meters.feeder` is to hold: `$2` meter ids, `$3` feeder ids, `$4` whether in service. */
function linesWithKeys({ meters, feeders }: RegistryMapping): string {
  const key = feeders === null ? 'given.feeder_id' : `${of('feeder', feeders.key)}::text`;
  const join =
    feeders === null
      ? ''
      : `LEFT JOIN ${quotedRelation(feeders.table)} feeder
           ON ${of('feeder', feeders.feederId)} = ${cast('given.feeder_id', feeders.feederId)}
           AND ${sameTenant('feeder', feeders.tenantId)}`;
  return `SELECT ${cast('given.meter_id', meters.meterId)} AS meter_id, ${cast(key, meters.feeder)} AS feeder,
      given.is_active
    FROM unnest($2::text[], $3::text[], $4::boolean[]) AS given (meter_id, feeder_id, is_active) ${join}
    WHERE ${PARAMETER_USED}`;
}

/**
 * Whether `meter` is not yet on the feeder that `line` puts it on. A meter that refers to a missing feeder counts as on
 * none, as it does everywhere else; if `line` puts it on none, its reference stays as it is.
 */
function movedMeter({ meters, feeders }: RegistryMapping): string {
  const current = `${of('meter', meters.feeder)}::text COLLATE "C"`;
  const wanted = `line.feeder::text COLLATE "C"`;
  if (feeders === null) return `nullif(${current}, '') IS DISTINCT FROM ${wanted}`;
  return `CASE WHEN line.feeder IS NULL THEN EXISTS (
      SELECT FROM ${quotedRelation(feeders.table)} feeder
      WHERE ${of('feeder', feeders.key)}::text COLLATE "C" = ${current}
        AND ${of('feeder', feeders.feederId)}::text <> '' AND ${sameTenant('feeder', feeders.tenantId)})
    ELSE ${current} IS DISTINCT FROM ${wanted} END`;
}

/**
 * That a row of `table` is of the tenant `$1`, where rows have tenants. The name is cast, so that a customer's index on
 * numbers or UUIDs is used: a load has checked before that the column can hold it. See `ofTenant` for any other name.
 */
export function sameTenant(table: string, column: MappedColumn | null): string {
  return column === null ? PARAMETER_USED : `${of(table, column)} = ${cast('$1::text', column)}`;
}

export function of(table: string, column: MappedColumn): string {
  return `${table}.${quoted(column.name)}`;
}

/** A text as the column's type. Text stays as it is: a cast to varchar(20) would cut it without a word. */
export function cast(sql: string, { kind, baseType }: MappedColumn): string {
  return kind === 'text' ? sql : `(${sql})::${baseType}`;
}

type ColumnValue = [column: MappedColumn, sql: string];

function columnValue(column: MappedColumn | null, sql: string): ColumnValue[] {
  return column === null ? [] : [[column, sql]];
}

function tenantValue(column: MappedColumn | null): ColumnValue[] {
  return column === null ? [] : [[column, cast('$1::text', column)]];
}

function insertInto(table: string, values: ColumnValue[]): string {
  const names = values.map(([column]) => quoted(column.name)).join(', ');
  return `INSERT INTO ${table} (${names}) SELECT ${values.map(([, sql]) => sql).join(', ')}`;
}

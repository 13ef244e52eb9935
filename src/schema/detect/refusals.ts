import { literal, quoted, quotedRelation, shown, shownRelation } from '../identifiers.js';
import { type CatalogColumn, type CatalogRelation, normalised } from './catalog.js';
import { READ_AT_NAMES } from './knownNames.js';

/** Why a table of reads cannot be adapted: one sentence each, with the statement that mends it. */

/** Why no reads can be written to a relation like this one, whatever its columns; empty when they can. */
export function refusedTable(table: CatalogRelation): string[] {
  const where = shownRelation(table);
  const sql = quotedRelation(table);
  const away = ownTable(table);
  if (table.partitionOf !== null)
    return [
      `${where} is a partition of ${shownRelation(table.partitionOf)}, and triggers that keep the KPIs cannot be put on a partition: take it away with ALTER TABLE ${quotedRelation(table.partitionOf)} DETACH PARTITION ${sql}; or give the parent its name.`,
    ];
  if (table.kind !== 'table' && table.kind !== 'partitioned table')
    return [`${where} is a ${table.kind}, and reads can only be written to a table: ${away}`];
  const refusals: string[] = [];
  if (table.heirs.length > 0)
    refusals.push(
      `${where} is inherited by ${table.heirs.join(', ')}, and no unique key holds over all of them: partition it by PARTITION BY instead, or ${away}`,
    );
  for (const rule of table.rules)
    refusals.push(
      `${where} has the rewrite rule ${shown(rule)}, with which INSERT ... ON CONFLICT is impossible (a trigger can do the same): DROP RULE ${quoted(rule)} ON ${sql};`,
    );
  if (table.lacksReplicaIdentity)
    refusals.push(
      `${where} is replicated by a publication and has no replica identity, so that no read could be revised: ALTER TABLE ${sql} REPLICA IDENTITY FULL;`,
    );
  return refusals;
}

const SQL_KIND: Readonly<Record<CatalogRelation['kind'], string>> = {
  table: 'TABLE',
  'partitioned table': 'TABLE',
  view: 'VIEW',
  'materialized view': 'MATERIALIZED VIEW',
  'foreign table': 'FOREIGN TABLE',
};

/** Of a partitioned table that has no unique key by which a read is known, and can have none. */
export function noKeyPossible(table: CatalogRelation, partitionColumn: string): string {
  return `${shownRelation(table)} is partitioned by ${shown(partitionColumn)}, which a unique key over tenant, meter and time cannot contain, so that nothing could keep a read from being there twice: partition it by the time of the read, or ${ownTable(table)}`;
}

export function noMeterColumn(table: CatalogRelation): string {
  return `${shownRelation(table)} has no column for the meter (meter_id, meter_number, …): name the one that carries it so, for example ALTER TABLE ${quotedRelation(table)} RENAME COLUMN … TO meter_id;`;
}

export function stampedWithTheEnd(table: CatalogRelation, { name }: CatalogColumn): string {
  return `${shownRelation(table)} tells its reads apart by ${shown(name)}, the end of their intervals, where GridLens stamps the start, so that every read would be one interval off: ${ownTable(table)}`;
}

export function severalRows(table: CatalogRelation, column: string): string {
  return `${shownRelation(table)} holds several rows of a meter and time, told apart by ${shown(column)}, and GridLens can neither tell which is the read nor write another: ${ownTable(table)}`;
}

export function oneReadAMeter(table: CatalogRelation, key: string): string {
  return `${shownRelation(table)} can hold one read of a meter alone, by its unique key ${shown(key)}: ${ownTable(table)}`;
}

export function noEnergyColumn(table: CatalogRelation, { name, type }: CatalogColumn): string {
  return `${shownRelation(table)} has no column that is surely the energy of an interval in kWh (${shown(name)}, ${type}, may be a register that counts up, another unit, or a part of it): add one and fill it: ALTER TABLE ${quotedRelation(table)} ADD COLUMN kwh numeric;`;
}

function ownTable(table: CatalogRelation): string {
  return `give it another name, and GridLens makes a table of its own: ALTER ${SQL_KIND[table.kind]} ${quotedRelation(table)} RENAME TO ${quoted(`${table.name}_original`)};`;
}

export function noTimeColumn(table: CatalogRelation): string {
  const sql = quotedRelation(table);
  const text = table.columns.find(
    ({ name, kind, isGenerated }) =>
      READ_AT_NAMES.includes(normalised(name)) &&
      !isGenerated &&
      kind !== 'timestamptz' &&
      kind !== 'timestamp',
  );
  const hint = text
    ? `${shown(text.name)} is of type ${text.type}, and timestamptz or timestamp is needed: ALTER TABLE ${sql} ALTER COLUMN ${quoted(text.name)} TYPE timestamptz USING ${quoted(text.name)}::text::timestamptz;`
    : `add one of type timestamptz with the start of the interval and fill it: ALTER TABLE ${sql} ADD COLUMN read_at timestamptz;`;
  return `${shownRelation(table)} has no column for the time of a read: ${hint}`;
}

/** @param meaning that GridLens would add a column of this name for. */
export function nameTaken(table: CatalogRelation, column: CatalogColumn, meaning: string): string {
  const is = column.isGenerated ? 'generated' : `of type ${column.type}`;
  return `${shownRelation(table)}.${shown(column.name)} is ${is}, which cannot carry ${meaning}: rename it, and GridLens adds one of its own: ALTER TABLE ${quotedRelation(table)} RENAME COLUMN ${quoted(column.name)} TO ${quoted(`${column.name}_original`)};`;
}

export function wholeKwh(table: CatalogRelation, { name, type }: CatalogColumn): string {
  return `${shownRelation(table)}.${shown(name)} is of type ${type}, which rounds a quarter hour's energy to whole kWh or tenths: ALTER TABLE ${quotedRelation(table)} ALTER COLUMN ${quoted(name)} TYPE numeric;`;
}

/** Of a NOT NULL column without a default. The statement runs as it stands; a default of one's own is as good. */
export function cannotFill(table: CatalogRelation, column: CatalogColumn): string {
  return `${shownRelation(table)}.${shown(column.name)} is NOT NULL, has no default, and is nothing that GridLens could fill: ${mendingNotNull(table, column)}`;
}

function mendingNotNull(table: CatalogRelation, column: CatalogColumn): string {
  const sql = quotedRelation(table);
  const alter = `ALTER TABLE ${sql} ALTER COLUMN ${quoted(column.name)}`;
  const isKey = table.uniqueKeys.some(({ isPrimary, columns }) => isPrimary && columns.includes(column.name));
  if (!isKey) return `${alter} DROP NOT NULL; or give it a default`;
  if (column.kind === 'text') return `${alter} SET DEFAULT gen_random_uuid()::text;`;
  if (column.kind !== 'integer') return `give it a default: ${alter} SET DEFAULT …;`;
  const [sequenceOf, name] = [literal(sql), literal(column.name)];
  return `${alter} ADD GENERATED BY DEFAULT AS IDENTITY; SELECT setval(pg_get_serial_sequence(${sequenceOf}, ${name}), (SELECT max(${quoted(column.name)}) FROM ${sql}));`;
}

import { type CatalogColumn, type CatalogRelation, normalised } from './catalog.js';
import { apartFrom, columnByForeignKey, columnByName, isUsable, mapped } from './columns.js';
import { filledColumns } from './filledColumns.js';
import {
  CREATED_NAMES,
  DELIVERED_NAMES,
  FEEDER_NAMES,
  KWH_NAMES,
  METER_NAMES,
  NOT_READ_AT,
  QUALITY_NAMES,
  READ_AT_NAMES,
  TENANT_NAMES,
  UPDATED_NAMES,
  VOLTAGE_NAMES,
} from './knownNames.js';
import type { ColumnKind, MappedColumn, ReadsMapping } from './mapping.js';
import {
  cannotFill,
  nameTaken,
  noKeyPossible,
  noMeterColumn,
  noTimeColumn,
  refusedTable,
  wholeKwh,
} from './readsRefusals.js';
import type { Repair } from './repairs.js';

/** Kinds that an id may be of. */
export const ID_KINDS: readonly ColumnKind[] = ['text', 'integer', 'uuid', 'numeric'];

export interface DetectedReads {
  /** Undefined where a problem says why. */
  mapping: ReadsMapping | undefined;
  repairs: Repair[];
  /** One sentence each, with the statement that mends it. */
  problems: string[];
}

export interface DetectReadsOptions {
  /** Tenant of the rows of a table that has no column for it. */
  defaultTenantId: string;
  meters: CatalogRelation | undefined;
  feeders: CatalogRelation | undefined;
  /** Columns that GridLens added at an earlier start. */
  added: ReadonlySet<string>;
}

/** Finds out how a customer's table of interval reads says what ours would; pure. */
export function detectReads(table: CatalogRelation, options: DetectReadsOptions): DetectedReads {
  const refusals = refusedTable(table);
  if (refusals.length > 0) return { mapping: undefined, repairs: [], problems: refusals };

  const taken = new Set<string>();
  const problems: string[] = [];
  const repairs: Repair[] = [];
  const writable = { ...table, columns: table.columns.filter((column) => !column.isGenerated) };
  const take = (column: MappedColumn | undefined): MappedColumn | undefined => {
    if (!column) return undefined;
    taken.add(column.name);
    return options.added.has(column.name) ? { ...column, source: 'added' } : column;
  };
  const named = (names: readonly string[], kinds: readonly ColumnKind[]): MappedColumn | undefined =>
    take(columnByName(writable, { names, kinds, taken }));
  const added = (name: string, type: string, kind: ColumnKind, reason: string, value?: string) => {
    const clash = table.columns.find((column) => column.name === name);
    if (clash) problems.push(nameTaken(table, clash, reason));
    else
      repairs.push({
        kind: 'add column',
        table: { schema: table.schema, name: table.name },
        column: name,
        type,
        reason: `no column carries ${reason}`,
        ...(value === undefined ? {} : { default: value }),
      });
    return take({
      name,
      type,
      baseType: type,
      kind,
      notNull: value !== undefined,
      collation: kind === 'text' ? 'pg_catalog."default"' : null,
      source: 'added',
    }) as MappedColumn;
  };
  const refuse = (problem: string): undefined => {
    problems.push(problem);
    return undefined;
  };

  const ownTenant = apartFrom(TENANT_NAMES);
  const tenantId =
    named(TENANT_NAMES, ID_KINDS) ??
    added('tenant_id', 'text', 'text', 'the tenant', options.defaultTenantId);
  const meterId =
    take(columnByForeignKey(writable, options.meters, ownTenant)?.column) ??
    named(METER_NAMES, ID_KINDS) ??
    refuse(noMeterColumn(table));
  const feederId =
    take(columnByForeignKey(writable, options.feeders, ownTenant)?.column) ??
    named(FEEDER_NAMES, ID_KINDS) ??
    added('feeder_id', 'text', 'text', 'the feeder');
  const createdAt = named(CREATED_NAMES, ['timestamptz', 'timestamp', 'date']) ?? null;
  const updatedAt =
    named(UPDATED_NAMES, ['timestamptz', 'timestamp', 'date']) ??
    added('updated_at', 'timestamp with time zone', 'timestamptz', 'when a read was revised');
  const readAt =
    named(READ_AT_NAMES, ['timestamptz', 'timestamp']) ??
    take(onlyTimestamp(writable.columns, taken)) ??
    refuse(noTimeColumn(table));
  const kwh = energyColumn(named, taken, writable);
  const deliveredKwh =
    named(DELIVERED_NAMES, ['numeric']) ??
    added('delivered_kwh', 'numeric', 'numeric', 'the energy delivered');
  const voltage =
    named(VOLTAGE_NAMES, ['numeric', 'integer']) ?? added('voltage', 'numeric', 'numeric', 'the voltage');
  const qualityFlags =
    named(QUALITY_NAMES, ['text', 'text[]', 'json', 'jsonb', 'integer']) ??
    added('quality_flags', 'text[]', 'text[]', 'quality flags');
  const registered = kwh ?? added('kwh', 'numeric', 'numeric', 'the energy registered');
  for (const energy of [registered, deliveredKwh]) {
    const column = table.columns.find(({ name }) => name === energy.name);
    if (column?.limit === 0) problems.push(wholeKwh(table, column));
  }
  if (!meterId || !readAt) return { mapping: undefined, repairs, problems };

  const { filled, unfilled } = filledColumns(
    table.columns.filter(({ name }) => !taken.has(name)),
    table.foreignKeys.flatMap(({ columns }) => columns),
  );
  for (const column of unfilled) problems.push(cannotFill(table, column));
  const columns = {
    tenantId,
    meterId,
    feederId,
    readAt,
    kwh: registered,
    deliveredKwh,
    voltage,
    qualityFlags,
    createdAt,
    updatedAt,
  };
  return {
    mapping: {
      table: { schema: table.schema, name: table.name },
      own: false,
      columns,
      filled,
      key: keyOf(table, columns, repairs, problems),
    },
    repairs,
    problems,
  };
}

/**
 * `kwh_delivered` is registered energy where it is the only one, and the utility's side beside another.
 */
function energyColumn(
  named: (names: readonly string[], kinds: readonly ColumnKind[]) => MappedColumn | undefined,
  taken: Set<string>,
  table: Pick<CatalogRelation, 'columns'>,
): MappedColumn | undefined {
  const registered = named(KWH_NAMES, ['numeric']);
  if (registered) return registered;
  const other = table.columns.filter(
    (column) =>
      isUsable(column, { names: [], kinds: ['numeric'], taken }) &&
      /kwh/.test(normalised(column.name)) &&
      !/received|export|generat|reverse/.test(normalised(column.name)),
  );
  const [only] = other.length === 1 ? other : other.filter(({ name }) => normalised(name) === 'kwhdelivered');
  if (!only) return undefined;
  taken.add(only.name);
  return mapped(only, 'known name');
}

function onlyTimestamp(
  columns: readonly CatalogColumn[],
  taken: ReadonlySet<string>,
): MappedColumn | undefined {
  const found = columns.filter(
    (column) =>
      isUsable(column, { names: [], kinds: ['timestamptz', 'timestamp'], taken }) &&
      !NOT_READ_AT.test(normalised(column.name)),
  );
  return found.length === 1 && found[0] ? mapped(found[0], 'only of its type') : undefined;
}

/** A key over (tenant, meter, time), or over (meter, time), which implies it; else one is added. */
function keyOf(
  table: CatalogRelation,
  { tenantId, meterId, readAt }: ReadsMapping['columns'],
  repairs: Repair[],
  problems: string[],
): ReadsMapping['key'] {
  const whole = [tenantId.name, meterId.name, readAt.name];
  for (const wanted of [whole, [meterId.name, readAt.name]]) {
    const found = table.uniqueKeys.find(
      ({ columns }) => columns.length === wanted.length && wanted.every((name) => columns.includes(name)),
    );
    if (found)
      return {
        name: found.name,
        columns: found.columns,
        source: found.name === OWN_KEY ? 'added' : 'existing',
      };
  }
  const outside = table.partitionKey.find((column) => !whole.includes(column));
  if (outside !== undefined) problems.push(noKeyPossible(table, outside));
  repairs.push({
    kind: 'add unique key',
    table: { schema: table.schema, name: table.name },
    name: OWN_KEY,
    columns: whole,
    reason: 'nothing keeps a read from being there twice',
  });
  return { name: OWN_KEY, columns: whole, source: 'added' };
}

const OWN_KEY = 'ami_reads_key';

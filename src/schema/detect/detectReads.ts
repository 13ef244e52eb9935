import type { ColumnKind, MappedColumn, PinnedColumns, ReadsMapping, ReadsMeaning } from '../mapping.js';
import type { CatalogRelation } from './catalog.js';
import { columnByForeignKey, columnByName, mapped } from './columns.js';
import { energyColumn } from './energyColumn.js';
import { filledColumns } from './filledColumns.js';
import {
  CREATED_NAMES,
  DELIVERED_NAMES,
  FEEDER_NAMES,
  METER_NAMES,
  QUALITY_NAMES,
  TENANT_NAMES,
  UPDATED_NAMES,
  VOLTAGE_NAMES,
} from './knownNames.js';
import { cannotFill, nameTaken, noMeterColumn, refusedTable, wholeKwh } from './refusals.js';
import type { Repair } from './repairs.js';
import { timeColumn } from './timeColumn.js';
import { readsKey } from './uniqueKey.js';

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
  /** What the table was adopted with: another column that is added later must not take over by its name. */
  pinned: PinnedColumns;
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

  const takeOr = (found: MappedColumn | string | undefined): MappedColumn | undefined =>
    typeof found === 'string' ? refuse(found) : take(found);

  const pins = pinnedColumns(writable, options.pinned, take);
  const tenantId =
    pins.tenantId ??
    named(TENANT_NAMES, ID_KINDS) ??
    added('tenant_id', 'text', 'text', 'the tenant', options.defaultTenantId);
  const meterId =
    pins.meterId ??
    take(columnByForeignKey(writable, options.meters, METER_NAMES, TENANT_NAMES)?.column) ??
    named(METER_NAMES, ID_KINDS) ??
    refuse(noMeterColumn(table));
  const feederId =
    pins.feederId ??
    take(columnByForeignKey(writable, options.feeders, FEEDER_NAMES, TENANT_NAMES)?.column) ??
    named(FEEDER_NAMES, ID_KINDS) ??
    added('feeder_id', 'text', 'text', 'the feeder');
  const createdAt = pins.createdAt ?? named(CREATED_NAMES, ['timestamptz', 'timestamp', 'date']) ?? null;
  const updatedAt =
    pins.updatedAt ??
    named(UPDATED_NAMES, ['timestamptz', 'timestamp', 'date']) ??
    added('updated_at', 'timestamp with time zone', 'timestamptz', 'when a read was revised');
  const readAt = pins.readAt ?? takeOr(timeColumn(table, meterId, taken));
  const kwh = pins.kwh ?? takeOr(energyColumn(table, taken));
  const deliveredKwh =
    pins.deliveredKwh ??
    named(DELIVERED_NAMES, ['numeric']) ??
    added('delivered_kwh', 'numeric', 'numeric', 'the energy delivered');
  const voltage =
    pins.voltage ??
    named(VOLTAGE_NAMES, ['numeric', 'integer']) ??
    added('voltage', 'numeric', 'numeric', 'the voltage');
  const qualityFlags =
    pins.qualityFlags ??
    named(QUALITY_NAMES, ['text', 'text[]', 'json', 'jsonb', 'integer']) ??
    added('quality_flags', 'text[]', 'text[]', 'quality flags');
  const registered = kwh ?? added('kwh', 'numeric', 'numeric', 'the energy registered');
  for (const energy of [registered, deliveredKwh]) {
    const column = table.columns.find(({ name }) => name === energy.name);
    if (column && column.limit !== null && column.limit < 2) problems.push(wholeKwh(table, column));
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
  const { key, repair, problem } = readsKey(table, columns);
  if (repair) repairs.push(repair);
  if (problem !== undefined) problems.push(problem);
  return {
    mapping: { table: { schema: table.schema, name: table.name }, own: false, columns, filled, key },
    repairs,
    problems,
  };
}

/** The columns that a table was adopted with, where they are still there and of a kind that carries the meaning. */
function pinnedColumns(
  table: Pick<CatalogRelation, 'columns'>,
  pinned: PinnedColumns,
  take: (column: MappedColumn | undefined) => MappedColumn | undefined,
): Partial<Record<ReadsMeaning, MappedColumn>> {
  const found = Object.entries(pinned).map(([meaning, pin]) => {
    const column = table.columns.find(({ name, kind }) => name === pin.name && kind === pin.kind);
    return [meaning, take(column && mapped(column, pin.source))];
  });
  return Object.fromEntries(found);
}

import type { ColumnKind, MappedColumn, PinnedColumns, ReadsMapping, ReadsMeaning } from '../mapping.js';
import type { CatalogRelation } from './catalog.js';
import { type ColumnSearch, searchColumns } from './columnSearch.js';
import { mapped } from './columns.js';
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
import { receivedColumn } from './receivedColumn.js';
import { cannotFill, noMeterColumn, refusedTable, wholeKwh } from './refusals.js';
import type { Repair } from './repairs.js';
import { timeColumn } from './timeColumn.js';
import { readsKey } from './uniqueKey.js';

/** Kinds that an id may be of. */
export const ID_KINDS: readonly ColumnKind[] = ['text', 'integer', 'uuid', 'numeric'];
const INSTANT_KINDS: readonly ColumnKind[] = ['timestamptz', 'timestamp', 'date'];

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

  const search = searchColumns(table, options.added);
  const { repairs, problems, taken } = search;
  const columns = meaningfulColumns(table, search, options);
  problems.push(...wholeNumbers(table, columns));
  if (!hasKeyColumns(columns)) return { mapping: undefined, repairs, problems };

  const { filled, unfilled } = filledColumns(
    table.columns.filter(({ name }) => !taken.has(name)),
    table.foreignKeys.flatMap(({ columns: referring }) => referring),
  );
  for (const column of unfilled) problems.push(cannotFill(table, column));
  const { key, repair, problem } = readsKey(table, columns);
  if (repair) repairs.push(repair);
  if (problem !== undefined) problems.push(problem);
  return {
    mapping: { table: { schema: table.schema, name: table.name }, own: false, columns, filled, key },
    repairs,
    problems,
  };
}

type Columns = ReadsMapping['columns'];
type FoundColumns = Omit<Columns, 'meterId' | 'readAt'> & {
  meterId: MappedColumn | undefined;
  readAt: MappedColumn | undefined;
};

/**
 * Which column carries what; what none does is added, but meter and time. The order counts: a column is taken once, and
 * the surer a name is the earlier it is asked for.
 */
function meaningfulColumns(
  table: CatalogRelation,
  search: ColumnSearch,
  { defaultTenantId, meters, feeders, pinned }: DetectReadsOptions,
): FoundColumns {
  const { take, named, referring, added, taken } = search;
  const pins = pinnedColumns(table, pinned, take);
  const tenantId =
    pins.tenantId ??
    named(TENANT_NAMES, ID_KINDS) ??
    added('tenant_id', 'text', 'text', 'the tenant', defaultTenantId);
  const meterId =
    pins.meterId ??
    referring(meters, METER_NAMES) ??
    named(METER_NAMES, ID_KINDS) ??
    take(noMeterColumn(table));
  const feederId =
    pins.feederId ??
    referring(feeders, FEEDER_NAMES) ??
    named(FEEDER_NAMES, ID_KINDS) ??
    added('feeder_id', 'text', 'text', 'the feeder');
  const createdAt = pins.createdAt ?? named(CREATED_NAMES, INSTANT_KINDS) ?? null;
  const updatedAt =
    pins.updatedAt ??
    named(UPDATED_NAMES, INSTANT_KINDS) ??
    added('updated_at', 'timestamp with time zone', 'timestamptz', 'when a read was revised');
  const readAt = pins.readAt ?? take(timeColumn(table, meterId, taken));
  const registered = pins.kwh ?? take(energyColumn(table, taken));
  const receivedKwh = pins.receivedKwh ?? take(receivedColumn(table, taken, registered)) ?? null;
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
  const kwh = registered ?? added('kwh', 'numeric', 'numeric', 'the energy registered');
  return {
    tenantId,
    meterId,
    feederId,
    readAt,
    kwh,
    deliveredKwh,
    receivedKwh,
    voltage,
    qualityFlags,
    createdAt,
    updatedAt,
  };
}

function hasKeyColumns(columns: FoundColumns): columns is FoundColumns & Columns {
  return columns.meterId !== undefined && columns.readAt !== undefined;
}

/** A quarter hour of a home is a tenth of a kWh: a column of whole numbers, or of tenths, cannot say it. */
function wholeNumbers(table: CatalogRelation, { kwh, deliveredKwh }: FoundColumns): string[] {
  return [kwh, deliveredKwh].flatMap((energy) => {
    const column = table.columns.find(({ name }) => name === energy.name);
    return column && column.limit !== null && column.limit < 2 ? [wholeKwh(table, column)] : [];
  });
}

/** The columns that a table was adopted with, where they are still there and of a kind that carries the meaning. */
function pinnedColumns(
  table: CatalogRelation,
  pinned: PinnedColumns,
  take: ColumnSearch['take'],
): Partial<Record<ReadsMeaning, MappedColumn>> {
  const found = Object.entries(pinned).map(([meaning, pin]) => {
    const column = table.columns.find(
      ({ name, kind, isGenerated }) => !isGenerated && name === pin.name && kind === pin.kind,
    );
    return [meaning, take(column && mapped(column, pin.source))];
  });
  return Object.fromEntries(found);
}

/**
 * The schema mapping: which of the database's own tables and columns carry what the rest of the code calls by its
 * canonical names. It is worked out from the catalog at start-up (`detectSchema`), and nothing but this folder and
 * the stores ever sees a customer's name.
 */

/** A relation, by its names as the catalog has them: unquoted, case as created. */
export interface RelationName {
  schema: string;
  name: string;
}

/** Why a part of the mapping is what it is. */
export type MappingSource =
  /** GridLens made it. */
  | 'own'
  /** The canonical name itself. */
  | 'same name'
  /** One of the names that the meaning is known to go by. */
  | 'known name'
  /** A foreign key says so. */
  | 'foreign key'
  /** The only column of the right type. */
  | 'only of its type'
  /** GridLens added the column to the customer's table. */
  | 'added';

/** What a column's type means for reading and writing it. */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'uuid'
  | 'numeric'
  | 'timestamptz'
  | 'timestamp'
  | 'date'
  | 'text[]'
  | 'json'
  | 'jsonb'
  | 'boolean'
  | 'other';

export interface MappedColumn {
  /** As the catalog has it. */
  name: string;
  /** As SQL writes it, with its length: `character varying(20)`. */
  type: string;
  /** The same without the length, for casts: to a length they cut off silently. */
  baseType: string;
  kind: ColumnKind;
  notNull: boolean;
  /** Quoted and qualified, for COLLATE; null where the type has none. */
  collation: string | null;
  source: MappingSource;
}

/** A NOT NULL column without a default, of the customer's own, that is filled on insert. */
export interface FilledColumn {
  name: string;
  /** SQL over `p_read_at` and `interval_minutes`, as `ami_write_batch` has them. */
  expression: string;
  /** In words, for the documentation. */
  what: string;
}

/** The table of interval reads. */
export interface ReadsMapping {
  table: RelationName;
  /** Whether GridLens made the table: then it is partitioned by day and retention drops partitions. */
  own: boolean;
  columns: {
    tenantId: MappedColumn;
    meterId: MappedColumn;
    feederId: MappedColumn;
    readAt: MappedColumn;
    kwh: MappedColumn;
    deliveredKwh: MappedColumn;
    /** What customers feed in; null where the table has no column that says so. */
    receivedKwh: MappedColumn | null;
    voltage: MappedColumn;
    qualityFlags: MappedColumn;
    /** When the row was written; null where the table does not say. */
    createdAt: MappedColumn | null;
    /** Set by a revision. */
    updatedAt: MappedColumn;
  };
  filled: FilledColumn[];
  /** The unique key that ON CONFLICT names: ours, the customer's own, or one that was added. */
  key: { name: string; columns: string[]; source: 'own' | 'existing' | 'added' };
}

export type ReadsMeaning = keyof ReadsMapping['columns'];

/** The columns that a customer's table of reads was adopted with. */
export type PinnedColumns = Readonly<
  Partial<Record<ReadsMeaning, Pick<MappedColumn, 'name' | 'kind' | 'source'>>>
>;

/** Meters and feeders: the registry fleet. Only read, but by `npm run fleet`. */
export interface RegistryMapping {
  meters: {
    table: RelationName;
    own: boolean;
    /** Null: the table has no tenants, every tenant has all of its meters. */
    tenantId: MappedColumn | null;
    /** What reads carry as their meter. */
    meterId: MappedColumn;
    /** Refers to `feeders.key`, or names the feeder itself where there is no table of feeders. */
    feeder: MappedColumn;
    /** A boolean that is false for a meter that is out of service; null where there is none. */
    isActive: MappedColumn | null;
  };
  /** Null: there is no table of feeders, the meters' own column names them. */
  feeders: {
    table: RelationName;
    own: boolean;
    tenantId: MappedColumn | null;
    /** What `meters.feeder` refers to. */
    key: MappedColumn;
    /** What reads carry as their feeder: the canonical feeder id. */
    feederId: MappedColumn;
    /** Further columns that people may know a feeder by, for events: code, name. */
    aliases: MappedColumn[];
  } | null;
}

/** The KPI views that were asked for, by their canonical names. */
export const KPI_VIEWS = [
  'v_kpi_electric_overview_daily',
  'v_kpi_electric_feeder_loss_daily',
  'v_kpi_suspicious_meters_daily',
  'v_kpi_fieldops_daily',
] as const;
export type KpiViewName = (typeof KPI_VIEWS)[number];

export interface KpiViewMapping {
  view: RelationName;
  /** Whether GridLens made it: its figures then change only with the rollups. */
  own: boolean;
  /** Canonical column → the view's column; null where the view has no counterpart. */
  columns: Readonly<Record<string, MappedColumn | null>>;
}

export interface SchemaMapping {
  /** The schema that GridLens's own tables live in. */
  ownSchema: string;
  reads: ReadsMapping;
  registry: RegistryMapping;
  kpiViews: Readonly<Record<KpiViewName, KpiViewMapping>>;
}

/** A relation as the key of a set; no quoting could be told from a name. */
export function relationKey({ schema, name }: RelationName): string {
  return JSON.stringify([schema, name]);
}

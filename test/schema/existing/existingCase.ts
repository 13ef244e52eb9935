/** What is expected of GridLens over one fixture. Names are as the catalog has them, `sql…` as SQL writes them. */
export interface ExistingCase {
  /** The fixture's file name. */
  file: string;
  tenant: string;
  /** Whether GridLens connects as the role that the fixture gives rights to, rather than as the owner. */
  asRole?: boolean;
  /** Whether the utility's loader is a role of its own, `{{role}}_loader`, without a right on anything of GridLens's. */
  hasLoader?: boolean;
  /** The registry's meters that are published and those left out for want of a feeder; null where it is empty. */
  registry: { published: number; leftOut: number } | null;
  /** Whether ids like `CITY_LIGHT-MTR-00001` and `FEEDER_7` fit the reads; where not, a publish of them is a 400. */
  synthetic: boolean;
  /** A canonical feeder id, of the fleet that is published, and how many meters are on it. */
  feeder: { id: string; meters: number };
  /** Reads in the table before GridLens came. */
  existingReads: number;
  reads: ReadsInSql;
  /** Name of the column that carries each meaning. */
  columns: Record<ReadsColumn, string> & { createdAt: string | null };
  filled?: string[];
  key: { name: string; columns: string[] };
  meters:
    | { table: string; tenantId: string | null; meterId: string; feeder: string; isActive?: string }
    | 'own';
  feeders: { table: string; key: string; feederId: string } | 'own' | null;
  /** The KPI views that are the customer's own. */
  ownViews?: string[];
  /** What is added to the customer's objects: `column of schema.table: column`, as the catalog's snapshot has it. */
  repairs: string[];
}

export type ReadsColumn =
  | 'tenantId'
  | 'meterId'
  | 'feederId'
  | 'readAt'
  | 'kwh'
  | 'deliveredKwh'
  | 'voltage'
  | 'qualityFlags'
  | 'updatedAt';

/** Where the reads are, as SQL expressions in canonical types. */
export interface ReadsInSql {
  table: string;
  tenant: string;
  meter: string;
  feeder: string;
  /** timestamptz. */
  readAt: string;
  kwh: string;
  delivered: string;
  voltage: string;
  /** Boolean, never null: whether the flags say LOW_VOLTAGE; an integer says it with some bit. */
  isLow: string;
}

/** The expressions that most tables share, from the names of the columns alone. */
export function readsInSql(
  table: string,
  columns: Record<ReadsColumn, string>,
  flags: 'text' | 'text[]' | 'json' | 'integer',
  withoutZone = false,
): ReadsInSql {
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const flag = quoted(columns.qualityFlags);
  const isLow = {
    text: `${flag} LIKE '%LOW_VOLTAGE%'`,
    'text[]': `'LOW_VOLTAGE' = ANY (${flag})`,
    json: `${flag}::jsonb @> '["LOW_VOLTAGE"]'`,
    integer: `${flag} <> 0`,
  }[flags];
  return {
    table,
    tenant: `${quoted(columns.tenantId)}::text`,
    meter: `${quoted(columns.meterId)}::text`,
    feeder: `${quoted(columns.feederId)}::text`,
    readAt: withoutZone ? `${quoted(columns.readAt)} AT TIME ZONE 'UTC'` : quoted(columns.readAt),
    kwh: `${quoted(columns.kwh)}::double precision`,
    delivered: `${quoted(columns.deliveredKwh)}::double precision`,
    voltage: `${quoted(columns.voltage)}::double precision`,
    isLow: `coalesce(${isLow}, false)`,
  };
}

/** The canonical names: what a column is called that GridLens adds, or that was called so before. */
export const CANONICAL: ExistingCase['columns'] = {
  tenantId: 'tenant_id',
  meterId: 'meter_id',
  feederId: 'feeder_id',
  readAt: 'read_at',
  kwh: 'kwh',
  deliveredKwh: 'delivered_kwh',
  voltage: 'voltage',
  qualityFlags: 'quality_flags',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

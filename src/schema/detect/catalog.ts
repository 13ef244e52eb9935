import type { ColumnKind, RelationName } from '../mapping.js';

/** What the catalog says of one column. */
export interface CatalogColumn {
  name: string;
  /** As SQL writes it, with its length: `character varying(20)`. */
  type: string;
  /** The same of a domain's base, without the length: an explicit cast to a length cuts off silently. */
  baseType: string;
  kind: ColumnKind;
  /** Characters a text may have, digits after the point a number may have; null without a limit. */
  limit: number | null;
  collation: string | null;
  notNull: boolean;
  /** Whether an insert may leave it out although it is NOT NULL: a default, an identity, a generated column. */
  hasDefault: boolean;
  /** GENERATED ALWAYS: it cannot be written. */
  isGenerated: boolean;
}

export interface ForeignKey {
  columns: string[];
  target: RelationName;
  targetColumns: string[];
}

/** A unique key that ON CONFLICT can name: valid, immediate, over plain columns, of all rows. */
export interface UniqueKey {
  name: string;
  columns: string[];
  isPrimary: boolean;
}

export interface CatalogRelation extends RelationName {
  kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  /** Of which table it is a partition. */
  partitionOf: RelationName | null;
  columns: CatalogColumn[];
  uniqueKeys: UniqueKey[];
  /** Columns of all unique indexes, also of those that ON CONFLICT cannot name. */
  uniqueColumns: string[][];
  foreignKeys: ForeignKey[];
  /** Columns that a partitioned table's unique keys must contain. */
  partitionKey: string[];
  /** The rights of the role that asks. */
  owns: boolean;
  may: { select: boolean; insert: boolean; update: boolean; trigger: boolean };
  /** Row-level security applies to the role, and no policy lets it see and write every row. */
  hidesRows: boolean;
  /** Enabled rewrite rules on INSERT or UPDATE. */
  rules: string[];
  /** Tables that inherit from it without being partitions. */
  heirs: string[];
  /** Changes are replicated by row, and nothing identifies a row. */
  lacksReplicaIdentity: boolean;
  /** Sequences that its defaults draw from and that the role may not use. */
  closedSequences: string[];
  /** Names of its triggers that GridLens made, and of those the ones that somebody has disabled. */
  triggers: string[];
  disabledTriggers: string[];
  /** Postgres's own number of the relation: another table of the same name has another. */
  oid: number;
  /** A view's text; empty for the rest. */
  definition: string;
}

/** What of the database detection looks at. */
export interface Catalog {
  database: string;
  role: string;
  /** The schema that new tables go to; null when there is none that exists. */
  ownSchema: string | null;
  mayCreate: boolean;
  /** Where GridLens's tables are already; null before the first start. */
  migratedSchema: string | null;
  /** Schemas on the search path that the role may not look into. */
  closedSchemas: string[];
  /** In the order of the search path, then by name; relations whose normalised name was asked for. */
  relations: CatalogRelation[];
}

/** Lower case, letters and digits alone: `"Meter ID"`, `meter_id` and `MeterId` are the same. */
export function normalised(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

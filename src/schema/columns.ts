import { type CatalogColumn, type CatalogRelation, normalised } from './catalog.js';
import type { ColumnKind, MappedColumn, MappingSource } from './mapping.js';

/** What a column must be like to carry a meaning. */
export interface Wanted {
  /** Normalised names it goes by, the most telling first. */
  names: readonly string[];
  kinds: readonly ColumnKind[];
  /** Names of columns that carry another meaning already. */
  taken?: ReadonlySet<string>;
}

export function mapped(column: CatalogColumn, source: MappingSource): MappedColumn {
  const { name, type, baseType, kind, notNull, collation } = column;
  return { name, type, baseType, kind, notNull, collation, source };
}

/** The column that carries a meaning by its name, or undefined: by the order of the names, not of the columns. */
export function columnByName(
  relation: Pick<CatalogRelation, 'columns'>,
  wanted: Wanted,
): MappedColumn | undefined {
  for (const name of wanted.names) {
    const found = relation.columns.filter(
      (column) => normalised(column.name) === name && isUsable(column, wanted),
    );
    // Of "ReadAt" and read_at in one table, the one that needs no quotes.
    const column = found.find((one) => one.name === one.name.toLowerCase()) ?? found[0];
    if (column) return mapped(column, sourceOf(column.name, wanted));
  }
  return undefined;
}

/** The canonical name is the first of the wanted ones, as it is written in lower case. */
function sourceOf(name: string, { names }: Wanted): MappingSource {
  return names[0] !== undefined && name.toLowerCase() === name && normalised(name) === names[0]
    ? 'same name'
    : 'known name';
}

export function isUsable(column: CatalogColumn, { kinds, taken }: Wanted): boolean {
  return kinds.includes(column.kind) && !taken?.has(column.name);
}

/** The single column of `relation` that refers to one of `target`, with the column it refers to. */
export function columnByForeignKey(
  relation: CatalogRelation,
  target: CatalogRelation | undefined,
  pairOf: (columns: string[], targets: string[]) => number,
): { column: MappedColumn; targetColumn: MappedColumn } | undefined {
  if (!target) return undefined;
  for (const key of relation.foreignKeys) {
    if (key.target.schema !== target.schema || key.target.name !== target.name) continue;
    const place = pairOf(key.columns, key.targetColumns);
    const column = relation.columns.find(({ name }) => name === key.columns[place]);
    const targetColumn = target.columns.find(({ name }) => name === key.targetColumns[place]);
    if (column && targetColumn)
      return { column: mapped(column, 'foreign key'), targetColumn: mapped(targetColumn, 'foreign key') };
  }
  return undefined;
}

/** In a composite foreign key, the pair that is not the tenant's. */
export function apartFrom(tenantNames: readonly string[]): (columns: string[]) => number {
  return (columns) => columns.findIndex((name) => !tenantNames.includes(normalised(name)));
}

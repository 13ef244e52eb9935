import type { ColumnKind, MappedColumn, MappingSource } from '../mapping.js';
import { type CatalogColumn, type CatalogRelation, normalised } from './catalog.js';

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

/**
 * The column of `relation` that refers to one of `target`, with the column it refers to. Of several the one that goes by
 * a known name (a meter may refer to its feeder and to the one it is switched to); undefined where none tells.
 *
 * @param names normalised, that what is referred to goes by, the most telling first.
 * @param tenantNames of the part of a composite key that is the tenant's.
 */
export function columnByForeignKey(
  relation: CatalogRelation,
  target: CatalogRelation | undefined,
  names: readonly string[],
  tenantNames: readonly string[],
): { column: MappedColumn; targetColumn: MappedColumn } | undefined {
  if (!target) return undefined;
  const pairs = relation.foreignKeys
    .filter((key) => key.target.schema === target.schema && key.target.name === target.name)
    .flatMap((key) => pairOf(key, names, tenantNames) ?? [])
    .flatMap(({ from, to }) => {
      const column = relation.columns.find(({ name }) => name === from);
      const targetColumn = target.columns.find(({ name }) => name === to);
      return column && targetColumn ? { column, targetColumn } : [];
    });
  const rank = (name: string): number => names.indexOf(normalised(name));
  const known = pairs
    .filter(({ column }) => rank(column.name) >= 0)
    .sort((a, b) => rank(a.column.name) - rank(b.column.name));
  // A key under another name may be of a second meter, where a column of a known name stands beside it.
  const isAlone =
    new Set(pairs.map(({ column }) => column.name)).size === 1 &&
    !relation.columns.some(({ name }) => rank(name) >= 0);
  const chosen = known[0] ?? (isAlone ? pairs[0] : undefined);
  return (
    chosen && {
      column: mapped(chosen.column, 'foreign key'),
      targetColumn: mapped(chosen.targetColumn, 'foreign key'),
    }
  );
}

/** Of a composite foreign key the pair that names the thing; the others name its tenant, company or district. */
function pairOf(
  { columns, targetColumns }: CatalogRelation['foreignKeys'][number],
  names: readonly string[],
  tenantNames: readonly string[],
): { from: string; to: string } | undefined {
  const pairs = columns.map((from, place) => ({ from, to: targetColumns[place] ?? '' }));
  if (pairs.length === 1) return pairs[0];
  const named = pairs.filter(({ from, to }) => [from, to].some((name) => names.includes(normalised(name))));
  if (named.length === 1) return named[0];
  const rest = pairs.filter(({ from }) => !tenantNames.includes(normalised(from)));
  return rest.length === 1 ? rest[0] : undefined;
}

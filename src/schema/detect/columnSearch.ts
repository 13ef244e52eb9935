import type { ColumnKind, MappedColumn } from '../mapping.js';
import type { CatalogRelation } from './catalog.js';
import { columnByForeignKey, columnByName } from './columns.js';
import { TENANT_NAMES } from './knownNames.js';
import { nameTaken } from './refusals.js';
import type { Repair } from './repairs.js';

/** Looks for one column after another in a customer's table. A column that is found is taken for one meaning alone. */
export interface ColumnSearch {
  /** Names of the columns that carry a meaning by now. */
  readonly taken: Set<string>;
  readonly repairs: Repair[];
  /** One sentence each, with the statement that mends it. */
  readonly problems: string[];
  /** Takes a column that was found otherwise; a sentence says why there is none. */
  take(found: MappedColumn | string | undefined): MappedColumn | undefined;
  named(names: readonly string[], kinds: readonly ColumnKind[]): MappedColumn | undefined;
  /** The column that refers to another table, by its foreign key. */
  referring(to: CatalogRelation | undefined, names: readonly string[]): MappedColumn | undefined;
  /**
   * A column that is to be added, since none carries what is wanted.
   *
   * @param reason what no column carries, as in "the tenant".
   * @param value for the rows that are there; else null.
   */
  added(name: string, type: string, kind: ColumnKind, reason: string, value?: string): MappedColumn;
}

/** @param added columns that GridLens added at an earlier start. */
export function searchColumns(table: CatalogRelation, added: ReadonlySet<string>): ColumnSearch {
  const taken = new Set<string>();
  const repairs: Repair[] = [];
  const problems: string[] = [];
  const writable = { ...table, columns: table.columns.filter((column) => !column.isGenerated) };
  const noteTaken = (column: MappedColumn): MappedColumn => {
    taken.add(column.name);
    return added.has(column.name) ? { ...column, source: 'added' } : column;
  };
  const take = (found: MappedColumn | string | undefined): MappedColumn | undefined => {
    if (typeof found !== 'string') return found && noteTaken(found);
    problems.push(found);
    return undefined;
  };
  return {
    taken,
    repairs,
    problems,
    take,
    named: (names, kinds) => take(columnByName(writable, { names, kinds, taken })),
    referring: (to, names) => take(columnByForeignKey(writable, to, names, TENANT_NAMES)?.column),
    added(name, type, kind, reason, value) {
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
      return noteTaken({
        name,
        type,
        baseType: type,
        kind,
        notNull: value !== undefined,
        collation: kind === 'text' ? 'pg_catalog."default"' : null,
        source: 'added',
      });
    },
  };
}

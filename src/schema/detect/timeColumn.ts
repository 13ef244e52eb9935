import type { MappedColumn } from '../mapping.js';
import { type CatalogColumn, type CatalogRelation, normalised } from './catalog.js';
import { isUsable, mapped } from './columns.js';
import { isEnd, NOT_READ_AT, READ_AT_NAMES } from './knownNames.js';
import { noTimeColumn, stampedWithTheEnd } from './refusals.js';

/**
 * The column with the start of the interval. One that is in a unique key with the meter tells reads apart, whatever
 * else is called so; then an instant before a time without a zone; then the order of the known names.
 *
 * @returns the column, or why there is none.
 */
export function timeColumn(
  table: CatalogRelation,
  meterId: MappedColumn | undefined,
  taken: ReadonlySet<string>,
): MappedColumn | string {
  const times = table.columns.filter(
    (column) =>
      !column.isGenerated && isUsable(column, { names: [], kinds: ['timestamptz', 'timestamp'], taken }),
  );
  const inKey = times.filter(({ name }) =>
    table.uniqueColumns.some(
      (columns) => columns.includes(name) && meterId !== undefined && columns.includes(meterId.name),
    ),
  );
  const [end] = inKey;
  if (end && inKey.every(({ name }) => isEnd(name))) return stampedWithTheEnd(table, end);
  const starts = (inKey.length > 0 ? inKey : times).filter(({ name }) => !isEnd(name));
  const known = starts
    .filter(({ name }) => rank(name) >= 0)
    .sort(
      (a, b) =>
        Number(a.kind === 'timestamp') - Number(b.kind === 'timestamp') || rank(a.name) - rank(b.name),
    );
  if (known[0]) return mapped(known[0], isCanonical(known[0]) ? 'same name' : 'known name');
  const others = starts.filter(({ name }) => !NOT_READ_AT.test(normalised(name)));
  return others.length === 1 && others[0] ? mapped(others[0], 'only of its type') : noTimeColumn(table);
}

const rank = (name: string): number => READ_AT_NAMES.indexOf(normalised(name));
const isCanonical = ({ name }: CatalogColumn): boolean => name === 'read_at';

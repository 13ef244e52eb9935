import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Right-aligned, with digits of one width. */
  isNumber?: boolean;
  /** Makes the heading a button that sorts; by what is up to `onSort`. */
  sort?: string;
  class?: string;
}

interface DataTableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row, index: number) => string;
  sorted?: { by: string; order: 'asc' | 'desc' };
  onSort?: (by: string) => void;
}

/** More rows than these are shown on request: a month of 40 feeders would be thirty thousand cells. */
const ROWS_AT_ONCE = 50;

/** A table that scrolls sideways within itself where it is wider than its place. */
export function DataTable<Row>({ caption, columns, rows, keyOf, sorted, onSort }: DataTableProps<Row>) {
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const rest = rows.length - shown;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="table-frame" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.title} column={column} sorted={sorted} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, index) => (
            <tr key={keyOf(row, index)}>
              {columns.map(({ title, cell, isNumber, class: name = '' }) => (
                <td key={title} class={`${isNumber ? 'number' : ''} ${name}`}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && (
        <button type="button" class="more" onClick={() => setShown(shown + 4 * ROWS_AT_ONCE)}>
          Show more ({rest} left)
        </button>
      )}
    </section>
  );
}

interface HeadingProps<Row> {
  column: Column<Row>;
  sorted: DataTableProps<Row>['sorted'];
  onSort: DataTableProps<Row>['onSort'];
}

function Heading<Row>({ column: { title, isNumber, sort }, sorted, onSort }: HeadingProps<Row>) {
  const isSorted = sort !== undefined && sorted?.by === sort;
  const direction = sorted?.order === 'asc' ? 'ascending' : 'descending';
  return (
    <th scope="col" class={isNumber ? 'number' : ''} {...(isSorted ? { 'aria-sort': direction } : {})}>
      {sort !== undefined && onSort ? (
        <button type="button" class="sort" onClick={() => onSort(sort)}>
          {title}
          <span aria-hidden="true">{isSorted ? (direction === 'ascending' ? ' ↑' : ' ↓') : ' ↕'}</span>
        </button>
      ) : (
        title
      )}
    </th>
  );
}

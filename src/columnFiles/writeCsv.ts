import type { Column, Table } from './columns.js';
import { shownDecimal } from './decimals.js';

/** Rows that are one piece of text. */
const PIECE_ROWS = 20_000;

/** CSV with a header, commas, decimals as they are, instants in UTC and nothing for null. Only texts that need quotes have them. */
export function csvOf({ rows, columns }: Table): Uint8Array {
  const cells = columns.map(cellOf);
  const pieces = [`${columns.map(({ name }) => name).join(',')}\n`];
  for (let from = 0; from < rows; from += PIECE_ROWS) {
    const lines: string[] = [];
    for (let row = from; row < Math.min(rows, from + PIECE_ROWS); row += 1)
      lines.push(cells.map((cell) => cell(row)).join(','));
    pieces.push(`${lines.join('\n')}\n`);
  }
  return Buffer.from(pieces.join(''));
}

function cellOf(column: Column): (row: number) => string {
  const { isNull } = column;
  const value = textOf(column);
  return isNull ? (row) => (isNull[row] === 1 ? '' : value(row)) : value;
}

function textOf(column: Column): (row: number) => string {
  if (column.kind === 'text') {
    const quoted = column.dictionary.map((text) =>
      /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    );
    return (row) => quoted[column.values[row] as number] ?? '';
  }
  if (column.kind === 'decimal') return (row) => shownDecimal(column.values[row] as number, column.scale);
  if (column.kind === 'integer') return (row) => String(column.values[row]);
  if (column.kind === 'boolean') return (row) => (column.values[row] === 1 ? 'true' : 'false');
  return (row) => new Date(Number((column.values[row] as bigint) / 1000n)).toISOString();
}

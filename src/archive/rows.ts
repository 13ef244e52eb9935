import { createHash, type Hash } from 'node:crypto';
import { type Column, type Table, textColumn } from '../columnFiles/columns.js';
import { shownDecimal } from '../columnFiles/decimals.js';
import type { ReadTable } from '../columnFiles/parquet.js';
import { ExactSum, plainDecimal } from '../intervalFiles/decimal.js';

/** The columns of the table of reads, in its order; the archive has all of them, under the same names. */
export const READ_COLUMNS = {
  tenant_id: 'text',
  meter_id: 'text',
  feeder_id: 'text',
  read_at: 'instant',
  kwh: 'number',
  delivered_kwh: 'number',
  voltage: 'number',
  quality_flags: 'text',
  created_at: 'instant',
  updated_at: 'instant',
  received_kwh: 'number',
  interval_minutes: 'integer',
  quality: 'text',
  quality_method: 'text',
  import_id: 'integer',
} as const;
export type ReadColumn = keyof typeof READ_COLUMNS;
export const COLUMN_NAMES = Object.keys(READ_COLUMNS) as ReadColumn[];

/** A row as text: instants in microseconds since 1970, numbers with all of their digits, flags as JSON; in the order of the columns. */
export type ArchivedRow = readonly (string | null)[];

/** What rows come to: exact sums, and one hash over all of them in their order. */
export interface Figures {
  rows: number;
  kwh: string;
  deliveredKwh: string;
  receivedKwh: string;
  checksum: string;
}

const SCALE = 4;
const UNIT = 10 ** SCALE;
/** Nine digits with up to four behind the point, and none that a decimal would not give back. */
const PLAIN = /^-?(0|[1-9]\d{0,4})(\.\d{0,3}[1-9])?$/;
const isPlain = (cell: string): boolean => PLAIN.test(cell) && cell !== '-0';

/** A sum of numbers as they are: those that the emulator writes as whole numbers of 0.1 Wh, which is three times as fast. */
class NumberSum {
  #plain = 0;
  readonly #exact = new ExactSum();

  add(cell: string): void {
    if (isPlain(cell)) this.#plain += Math.round(Number(cell) * UNIT);
    else {
      const plain = plainDecimal(cell);
      if (plain !== undefined) this.#exact.add(plain);
    }
  }

  toString(): string {
    const sum = new ExactSum();
    sum.add(shownDecimal(this.#plain, SCALE));
    sum.add(this.#exact.toString());
    return sum.toString();
  }
}

/** Rows hashed at once. */
const HASHED_ROWS = 500;

/** Which cells are null, and the others: no text of Postgres holds a NUL, so no two rows are one line. */
function asLine(row: ArchivedRow): string {
  let nulls = 0;
  for (let at = 0; at < row.length; at += 1) if (row[at] === null) nulls |= 1 << at;
  return `${nulls}\0${row.join('\0')}\n`;
}

/** Adds rows up as they come. */
export class RowSums {
  #rows = 0;
  readonly #hash: Hash = createHash('sha256');
  readonly #sums = (['kwh', 'delivered_kwh', 'received_kwh'] as const).map((name) => ({
    at: COLUMN_NAMES.indexOf(name),
    sum: new NumberSum(),
  }));

  add(rows: readonly ArchivedRow[]): void {
    this.#rows += rows.length;
    for (let from = 0; from < rows.length; from += HASHED_ROWS)
      this.#hash.update(
        rows
          .slice(from, from + HASHED_ROWS)
          .map(asLine)
          .join(''),
      );
    for (const { at, sum } of this.#sums)
      for (const row of rows) {
        const cell = row[at];
        if (cell) sum.add(cell);
      }
  }

  figures(): Figures {
    const [kwh = '', deliveredKwh = '', receivedKwh = ''] = this.#sums.map(({ sum }) => sum.toString());
    return { rows: this.#rows, kwh, deliveredKwh, receivedKwh, checksum: this.#hash.digest('hex') };
  }
}

/** Rows as typed columns. Numbers are decimals where all of a column are as the emulator writes them, else texts with every digit. */
export function tableOf(rows: readonly ArchivedRow[]): Table {
  return { rows: rows.length, columns: COLUMN_NAMES.map((name, at) => columnOf(name, at, rows)) };
}

function columnOf(name: ReadColumn, at: number, rows: readonly ArchivedRow[]): Column {
  const kind = READ_COLUMNS[name];
  const texts = (): Column =>
    textColumn(
      name,
      rows.map((row) => row[at] ?? null),
    );
  if (kind === 'text') return texts();
  const nulls = new Uint8Array(rows.length);
  const numbers = kind === 'instant' ? undefined : new Int32Array(rows.length);
  const instants = new BigInt64Array(numbers ? 0 : rows.length);
  // The halves of an instant, the lowest first: a BigInt for each would take four times as long.
  const halves = new Int32Array(instants.buffer);
  for (let row = 0; row < rows.length; row += 1) {
    const cell = rows[row]?.[at] ?? null;
    if (cell === null) nulls[row] = 1;
    else if (numbers) {
      if (kind === 'number' && !isPlain(cell)) return texts();
      numbers[row] = kind === 'number' ? Math.round(Number(cell) * UNIT) : Number(cell);
    } else {
      const value = Number(cell);
      halves[2 * row] = value % 2 ** 32;
      halves[2 * row + 1] = Math.floor(value / 2 ** 32);
      if (value < 0) instants[row] = BigInt(cell);
    }
  }
  const common = { name, ...(nulls.includes(1) && { isNull: nulls }) };
  if (!numbers) return { ...common, kind: 'instant', values: instants };
  if (kind === 'integer') return { ...common, kind, values: numbers };
  return { ...common, kind: 'decimal', precision: 9, scale: SCALE, values: numbers };
}

/** The rows of a file as they were written into it. */
export function rowsOf(table: ReadTable): ArchivedRow[] {
  const columns = COLUMN_NAMES.map((name) => {
    const cells = table.cells(name);
    // 1,234 of a scale of four: its shortest digits as a number are those that were archived.
    const shown = READ_COLUMNS[name] === 'number' ? (cell: number) => String(cell / UNIT) : String;
    return cells.map((cell) => (cell === null || typeof cell === 'string' ? cell : shown(cell as number)));
  });
  return Array.from({ length: table.rows }, (_, row) => columns.map((cells) => cells[row] ?? null));
}

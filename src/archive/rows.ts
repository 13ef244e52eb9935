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

/** Adds rows up as they come. */
export class RowSums {
  #rows = 0;
  readonly #hash: Hash = createHash('sha256');
  readonly #sums = { kwh: new ExactSum(), delivered_kwh: new ExactSum(), received_kwh: new ExactSum() };

  add(row: ArchivedRow): void {
    this.#rows += 1;
    // No text of Postgres holds a NUL, so no two rows are one text.
    this.#hash.update(`${row.map((cell) => cell ?? '\0').join('\0\0')}\n`);
    for (const name of ['kwh', 'delivered_kwh', 'received_kwh'] as const) {
      const plain = plainDecimal(row[COLUMN_NAMES.indexOf(name)] ?? '');
      if (plain !== undefined) this.#sums[name].add(plain);
    }
  }

  figures(): Figures {
    return {
      rows: this.#rows,
      kwh: this.#sums.kwh.toString(),
      deliveredKwh: this.#sums.delivered_kwh.toString(),
      receivedKwh: this.#sums.received_kwh.toString(),
      checksum: this.#hash.digest('hex'),
    };
  }
}

/** Rows as typed columns. Numbers are decimals where all of a column are as the emulator writes them, else texts with every digit. */
export function tableOf(rows: readonly ArchivedRow[]): Table {
  return {
    rows: rows.length,
    columns: COLUMN_NAMES.map((name, at) =>
      columnOf(
        name,
        rows.map((row) => row[at] ?? null),
      ),
    ),
  };
}

const SCALE = 4;
/** Nine digits with up to four behind the point, and none that a decimal would not give back. */
const PLAIN = /^-?(0|[1-9]\d{0,4})(\.\d{0,3}[1-9])?$/;

function columnOf(name: ReadColumn, cells: readonly (string | null)[]): Column {
  const kind = READ_COLUMNS[name];
  if (kind === 'text') return textColumn(name, cells);
  const nulls = Uint8Array.from(cells, (cell) => (cell === null ? 1 : 0));
  const isNull = nulls.includes(1) ? { isNull: nulls } : {};
  if (kind === 'instant')
    return { name, kind, values: BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0)), ...isNull };
  if (kind === 'integer')
    return { name, kind, values: Int32Array.from(cells, (cell) => Number(cell ?? 0)), ...isNull };
  if (!cells.every((cell) => cell === null || (PLAIN.test(cell) && cell !== '-0')))
    return textColumn(name, cells);
  const values = Int32Array.from(cells, (cell) => Math.round(Number(cell ?? 0) * 10 ** SCALE));
  return { name, kind: 'decimal', precision: 9, scale: SCALE, values, ...isNull };
}

/** The rows of a file as they were written into it. */
export function* rowsOf(table: ReadTable): Generator<ArchivedRow> {
  for (let row = 0; row < table.rows; row += 1)
    yield COLUMN_NAMES.map((name) => {
      const cell = table.cell(name, row);
      if (cell === null || typeof cell === 'string') return cell;
      if (READ_COLUMNS[name] !== 'number') return String(cell);
      return shownDecimal(cell as bigint, SCALE).replace(/\.?0+$/, '') || '0';
    });
}

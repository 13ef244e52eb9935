import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { Column, Table } from '../../src/columnFiles/columns.js';
import { type Cell, loadParquet } from '../../src/columnFiles/parquet.js';

const { read, write } = await loadParquet();

/** What a column says, cell by cell, as a reader gives it. */
function cellsOf(column: Column): Cell[] {
  return Array.from(column.values as ArrayLike<number | bigint>, (value, row) => {
    if (column.isNull?.[row] === 1) return null;
    if (column.kind === 'text') return column.dictionary[Number(value)] as string;
    return column.kind === 'boolean' ? value === 1 : Number(value);
  });
}

const cell = fc.record({
  isNull: fc.boolean(),
  text: fc.nat({ max: 5 }),
  kwh: fc.oneof(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.constant(0)),
  at: fc.oneof(
    fc.constantFrom(0n, 900_000_000n, -1n, 1_767_225_600_000_000n),
    fc.bigInt({ min: -(2n ** 51n), max: 2n ** 52n }),
  ),
  whole: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  isSo: fc.boolean(),
});
const texts = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 30 }), { minLength: 6, maxLength: 6 });
const tables = fc
  .record({ cells: fc.array(cell, { maxLength: 300 }), texts, nullable: fc.boolean() })
  .map(({ cells, texts: dictionary, nullable }): Table => {
    const isNull = nullable ? { isNull: Uint8Array.from(cells, (one) => (one.isNull ? 1 : 0)) } : {};
    const columns: Column[] = [
      {
        name: 'text',
        kind: 'text',
        dictionary,
        values: Int32Array.from(cells, (one) => one.text),
        ...isNull,
      },
      {
        ...{ name: 'kwh', kind: 'decimal', precision: 9, scale: 4 },
        ...{ values: Int32Array.from(cells, (one) => one.kwh), ...isNull },
      },
      { name: 'at', kind: 'instant', values: BigInt64Array.from(cells, (one) => one.at), ...isNull },
      { name: 'whole', kind: 'integer', values: Int32Array.from(cells, (one) => one.whole), ...isNull },
      { name: 'so', kind: 'boolean', values: Uint8Array.from(cells, (one) => (one.isSo ? 1 : 0)), ...isNull },
    ];
    return { rows: cells.length, columns };
  });

describe('a Parquet file', () => {
  it('says to another reader what was written, and is the same bytes each time', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const file = write(table);
        expect(write(table)).toEqual(file);
        const found = read(file);
        expect(found.rows).toBe(table.rows);
        for (const column of table.columns) expect(found.cells(column.name)).toEqual(cellsOf(column));
      }),
      { numRuns: 150 },
    );
  });

  it('has groups of rows with the bounds of their own values', () => {
    const rows = 150_000;
    const dictionary = Array.from({ length: 1_563 }, (_, at) => `TENANT-WITH-A-NAME-MTR-${1_562 - at}`);
    const table: Table = {
      rows,
      columns: [
        {
          name: 'id',
          kind: 'text',
          dictionary,
          values: Int32Array.from({ length: rows }, (_, at) => Math.floor(at / 96)),
        },
        {
          ...{ name: 'at', kind: 'instant' as const },
          values: BigInt64Array.from({ length: rows }, (_, at) => BigInt(at % 96) * 900_000_000n),
        },
        {
          ...{ name: 'kwh', kind: 'decimal' as const, precision: 9, scale: 4 },
          values: Int32Array.from({ length: rows }, (_, at) => at * 3),
        },
        {
          name: 'many',
          kind: 'instant',
          values: BigInt64Array.from({ length: rows }, (_, at) => BigInt(at)),
        },
      ],
    };
    const file = write(table);
    const { row_groups } = parquetMetadata(file.slice().buffer);
    expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([61_440, 61_440, 27_120]);
    const bounds = (column: number) =>
      row_groups.map((group) => {
        const { min_value, max_value } = group.columns[column]?.meta_data?.statistics ?? {};
        return [min_value, max_value].map((bound) => (bound instanceof Date ? bound.getTime() : bound));
      });
    expect(bounds(0)[2]).toEqual(['TENANT-WITH-A-NAME-MTR-0', 'TENANT-WITH-A-NAME-MTR-99']);
    expect(bounds(1)).toEqual(Array(3).fill([0, 95 * 900_000]));
    expect(bounds(2)[1]?.map((bound) => Number(bound).toFixed(4))).toEqual(['18.4320', '36.8637']);
    for (const column of table.columns) expect(read(file).cells(column.name)).toEqual(cellsOf(column));
  });
});

import type { Data, DataType } from 'apache-arrow';
import type { Column, Table } from './columns.js';

/** Rows of a group, by whose statistics a reader leaves it out: 640 meters' quarter hours of a day. */
const GROUP_ROWS = 61_440;

/** Writes and reads Parquet. */
export interface Parquet {
  /** A file of zstd pages with every column typed. The same table always makes the same bytes. */
  write(table: Table): Uint8Array;
  /** The columns of a file as Arrow has them, by name. */
  read(file: Uint8Array): ReadTable;
}

/**
 * What a file says, column by column: instants in microseconds, decimals as the whole numbers that stand for them, both exact as far
 * as a number is (2^53), texts as they are.
 */
export interface ReadTable {
  rows: number;
  names: readonly string[];
  /** @throws Error where the file has no such column. */
  cells(name: string): Cell[];
}
export type Cell = string | number | boolean | null;

let loaded: Promise<Parquet> | undefined;

/** Loads what writes it: six megabytes of WebAssembly that no server needs before it archives. */
export function loadParquet(): Promise<Parquet> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Parquet> {
  const [arrow, wasm] = await Promise.all([import('apache-arrow'), import('parquet-wasm')]);

  /** Memory of WebAssembly is freed by hand: `writeParquet` takes the properties with it. */
  const properties = () =>
    new wasm.WriterPropertiesBuilder()
      .setCompression(wasm.Compression.ZSTD)
      .setMaxRowGroupSize(GROUP_ROWS)
      .setCreatedBy('GridLens AMI')
      .build();

  const dataOf = (column: Column, rows: number, place: number): Data<DataType> => {
    const nulls = column.isNull && {
      nullBitmap: validity(column.isNull),
      nullCount: column.isNull.reduce((sum, one) => sum + one, 0),
    };
    const common = { length: rows, nullCount: 0, ...nulls };
    if (column.kind === 'text') {
      const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), place);
      const dictionary = arrow.vectorFromArray(column.dictionary, new arrow.Utf8());
      return arrow.makeData({ ...common, type, data: column.values, dictionary });
    }
    if (column.kind === 'decimal') {
      const type = new arrow.Decimal(column.scale, column.precision, 128);
      return arrow.makeData({ ...common, type, data: widened(column.values) });
    }
    if (column.kind === 'instant')
      return arrow.makeData({ ...common, type: new arrow.TimestampMicrosecond('UTC'), data: column.values });
    if (column.kind === 'integer')
      return arrow.makeData({ ...common, type: new arrow.Int32(), data: column.values });
    return arrow.makeData({ ...common, type: new arrow.Bool(), data: bits(column.values) });
  };

  return {
    write({ rows, columns }) {
      const children = columns.map((column, place) => dataOf(column, rows, place));
      const fields = columns.map(
        ({ name, isNull }, at) => new arrow.Field(name, (children[at] as Data).type, isNull !== undefined),
      );
      const schema = new arrow.Schema(fields);
      const data = arrow.makeData({ type: new arrow.Struct(fields), length: rows, nullCount: 0, children });
      const stream = arrow.tableToIPC(
        new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]),
        'stream',
      );
      return wasm.writeParquet(wasm.Table.fromIPCStream(stream), properties());
    },
    read(file) {
      const table = arrow.tableFromIPC(wasm.readParquet(file).intoIPCStream());
      const vectors = new Map(table.schema.fields.map(({ name }) => [name, table.getChild(name)]));
      return {
        rows: table.numRows,
        names: [...vectors.keys()],
        cells(name) {
          const vector = vectors.get(name);
          if (!vector) throw new Error(`the file has no column ${name}`);
          return vector.data.flatMap((piece) => cellsOf(piece as Data));
        },
      };
    },
  };
}

function cellsOf(piece: Data): Cell[] {
  const value = readerOf(piece);
  const { length, nullCount } = piece;
  return Array.from({ length }, (_, row) => (nullCount > 0 && !piece.getValid(row) ? null : value(row)));
}

/** How the values of a piece are read. Its arrays begin at its own first row. */
function readerOf(piece: Data): (row: number) => Cell {
  const { values, dictionary, type, offset } = piece;
  if (dictionary) {
    const texts = Array.from(dictionary as Iterable<string>);
    return (row) => texts[values[row] as number] as string;
  }
  if (values instanceof BigInt64Array) return (row) => Number(values[row]);
  if (String(type) === 'Bool')
    return (row) => ((values[(offset + row) >> 3] >> ((offset + row) & 7)) & 1) === 1;
  // A decimal: 128 bits, of which a number needs the lowest 53 and the sign.
  if (values.length >= piece.length * 4)
    return (row) => {
      const [low, high] = [values[row * 4] as number, (values[row * 4 + 1] as number) | 0];
      return high * 2 ** 32 + low;
    };
  return (row) => values[row] as number;
}

/** To the 128 bits that Arrow's decimals have; the writer takes as few as the precision needs. */
function widened(values: Int32Array): Uint32Array {
  const words = new Int32Array(values.length * 4);
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] as number;
    words[row * 4] = value;
    if (value < 0) words.fill(-1, row * 4 + 1, row * 4 + 4);
  }
  return new Uint32Array(words.buffer);
}

function validity(isNull: Uint8Array): Uint8Array {
  return bits(isNull.map((one) => 1 - one));
}

/** One bit an entry, the lowest first. */
function bits(values: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, row) => {
    if (value === 1) packed[row >> 3] = (packed[row >> 3] as number) | (1 << (row & 7));
  });
  return packed;
}

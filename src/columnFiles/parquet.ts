import type { Data } from 'apache-arrow';
import type { Table } from './columns.js';
import { parquetOf } from './parquetWriter.js';

/** Writes and reads Parquet. */
export type Parquet = ParquetWriter & ParquetReader;

export interface ParquetWriter {
  /** A file of zstd pages with every column typed. The same table always makes the same bytes. */
  write(table: Table): Uint8Array;
}

export interface ParquetReader {
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

let writer: Promise<ParquetWriter> | undefined;
let reader: Promise<ParquetReader> | undefined;

/** Loads what writes and reads it. */
export async function loadParquet(): Promise<Parquet> {
  return { ...(await loadParquetWriter()), ...(await loadReader()) };
}

/** Loads what writes it: a quarter of a megabyte of WebAssembly, in a thread of its own where there are threads. */
export function loadParquetWriter(): Promise<ParquetWriter> {
  writer ??= loadWriter();
  return writer;
}

/** Faster levels make larger files than DuckDB's, and slower ones hardly smaller. */
const ZSTD_LEVEL = 1;

async function loadWriter(): Promise<ParquetWriter> {
  const { compress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return { write: (table) => parquetOf(table, (page) => compress(page, ZSTD_LEVEL)) };
}

/** Five megabytes of WebAssembly that no server needs before it archives. */
function loadReader(): Promise<ParquetReader> {
  reader ??= loadWasm();
  return reader;
}

async function loadWasm(): Promise<ParquetReader> {
  const [arrow, wasm] = await Promise.all([import('apache-arrow'), import('parquet-wasm')]);
  return {
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
  if (String(type) === 'Utf8') return textReader(piece);
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

/** Texts that come one after the other are the same in most rows: one that is as the last one is not made anew. */
function textReader({ values, valueOffsets }: Data): (row: number) => string {
  const bytes = values as Uint8Array;
  const decoder = new TextDecoder();
  let [from, to] = [0, 0];
  let text = '';
  return (row) => {
    const [start, end] = [valueOffsets[row] as number, valueOffsets[row + 1] as number];
    let same = end - start === to - from;
    for (let at = 0; same && at < end - start; at += 1) same = bytes[start + at] === bytes[from + at];
    if (!same) text = decoder.decode(bytes.subarray(start, end));
    [from, to] = [start, end];
    return text;
  };
}

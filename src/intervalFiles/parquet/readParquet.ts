import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet/src/index.js';
import { ExactSum, shifted } from '../decimal.js';
import {
  type EnergyChannel,
  emptyBatch,
  type FileBatch,
  type FileBytes,
  UnreadableFileError,
} from '../intervalFiles.js';
import type { QualityKind, ReadQuality } from '../quality.js';
import { COLUMNS, type Column, NAMES, SUMS_KEY, sumsText } from './columns.js';
import { broken, LIMITED, MOST_GROUP_ROWS, requireFittingPages } from './pages.js';
import { SCALE } from './unscaled.js';

/** Of the end of a file, which says where all else is: a group of ours takes some 1,500 bytes of it. */
const MOST_FOOTER_BYTES = 64 * 2 ** 20;
const KINDS = new Set(['raw', 'validated', 'estimated', 'edited', 'questionable'] satisfies QualityKind[]);
const WANTED: Column[] = [
  ...(['meter_id', 'feeder_id', 'interval_start', 'interval_minutes'] as const),
  ...(['kwh', 'received_kwh', 'quality', 'quality_method'] as const),
];

/** A row; what is not there is null, or undefined. */
interface Row {
  meter_id: string;
  feeder_id: string;
  interval_start: bigint;
  interval_minutes: number;
  kwh: Uint8Array | null;
  received_kwh: Uint8Array | null;
  quality: string;
  quality_method: string | null;
}

/**
 * Reads a Parquet file that GridLens has written, group by group: energy exact, since what the library makes of decimals are
 * doubles. `line` of a read is its row, from 1.
 *
 * @param feederColumn whether each row's feeder is wanted: `feeder_id`.
 * @yields what each group of rows says.
 * @throws UnreadableFileError where it is none of ours, or is broken.
 */
export async function* readParquet(bytes: FileBytes, feederColumn?: string): AsyncGenerator<FileBatch> {
  if (feederColumn !== undefined && feederColumn !== 'feeder_id')
    throw new UnreadableFileError(undefined, `an export as Parquet has no column ${feederColumn} of feeders`);
  const file: AsyncBuffer = { byteLength: bytes.byteLength, slice: (from, to) => bytes.slice(from, to) };
  const metadata = await metadataOf(bytes, file);
  const sums = new RowSums();
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (!(rows >= 0 && rows <= MOST_GROUP_ROWS))
      throw new UnreadableFileError(
        undefined,
        `it has a group of ${rows} rows, and at most ${MOST_GROUP_ROWS} are held at once: our exports have fewer`,
      );
    const rowEnd = rowStart + rows;
    const read = await rowsOf(file, metadata, rowStart, rowEnd);
    sums.add(read);
    yield batchOf(read, rowStart, feederColumn !== undefined);
    rowStart = rowEnd;
  }
  if (BigInt(rowStart) !== metadata.num_rows)
    throw broken(`its groups have ${rowStart} of ${metadata.num_rows} rows`);
  sums.require(metadata);
}

/** Parquet has no check of its own that we write: a byte that flips in its pages would be other energy. */
class RowSums {
  readonly #kwh = new ExactSum();
  readonly #receivedKwh = new ExactSum();

  add(rows: readonly Row[]): void {
    for (const { kwh, received_kwh: received } of rows) {
      if (kwh) this.#kwh.add(plainOf(kwh));
      if (received) this.#receivedKwh.add(plainOf(received));
    }
  }

  /** @throws UnreadableFileError where the file's end says other sums. */
  require({ key_value_metadata: said = [] }: FileMetaData): void {
    const text = said.find(({ key }) => key === SUMS_KEY)?.value;
    const found = sumsText({ kwh: this.#kwh.toString(), receivedKwh: this.#receivedKwh.toString() });
    if (text === undefined)
      throw broken(
        'its end lacks the sums of its energies, which exports of older versions have not: export it anew',
      );
    if (text !== found) throw broken(`its energies sum up to ${found}, and its end says ${text}`);
  }
}

/** @throws UnreadableFileError where it is no Parquet, or has other columns than our exports. */
async function metadataOf(bytes: FileBytes, file: AsyncBuffer): Promise<FileMetaData> {
  if (bytes.byteLength < 12) throw broken('it has only a beginning');
  const end = Buffer.from(await bytes.slice(bytes.byteLength - 8, bytes.byteLength));
  if (end.toString('latin1', 4) !== 'PAR1') throw broken('its last bytes are not those of Parquet');
  if (end.readUInt32LE(0) > MOST_FOOTER_BYTES) throw broken('its end announces more than any of ours has');
  const metadata = await parquetMetadataAsync(file, { geoparquet: false }).catch((error: Error) => {
    throw broken(error.message);
  });
  const [root, ...columns] = metadata.schema;
  const isOurs =
    root?.num_children === NAMES.length &&
    columns.length === NAMES.length &&
    columns.every(({ name, type, type_length: length }, index) => {
      const expected = COLUMNS[NAMES[index] as Column];
      return (
        name === NAMES[index] && type === expected.type && (type !== 'FIXED_LEN_BYTE_ARRAY' || length === 16)
      );
    });
  if (!isOurs)
    throw new UnreadableFileError(
      undefined,
      'it is Parquet, and its columns are not those of an export of GridLens',
    );
  // Without their marks decimals stay bytes and instants stay microseconds, where the library makes doubles of them.
  const schema = metadata.schema.map(({ logical_type, converted_type, ...element }) =>
    element.type === 'BYTE_ARRAY' ? { ...element, converted_type: 'UTF8' as const } : element,
  );
  return { ...metadata, schema };
}

async function rowsOf(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<Row[]> {
  const group = metadata.row_groups[groupAt(metadata, rowStart)];
  try {
    for (const { meta_data: column } of group?.columns ?? []) {
      if (column === undefined || !WANTED.includes(column.path_in_schema[0] as Column)) continue;
      const from = Number(column.dictionary_page_offset ?? column.data_page_offset);
      const to = from + Number(column.total_compressed_size);
      if (!(from >= 4 && to >= from && to <= file.byteLength))
        throw broken('a column lies outside of the file');
      requireFittingPages(await file.slice(from, to), column, rowEnd - rowStart);
    }
    if (rowEnd === rowStart) return [];
    const options = { file, metadata, columns: WANTED, rowStart, rowEnd, compressors: LIMITED };
    const rows = (await parquetReadObjects({ ...options, useOffsetIndex: false })) as unknown as Row[];
    if (rows.length !== rowEnd - rowStart)
      throw broken(`a group has ${rows.length} of ${rowEnd - rowStart} rows`);
    if (!rows.every(({ kwh, received_kwh: received }) => isDecimal(kwh) && isDecimal(received)))
      throw broken('an energy is no decimal');
    return rows;
  } catch (error) {
    throw error instanceof UnreadableFileError ? error : broken((error as Error).message);
  }
}

/** A value that was changed within its page may be of any type. */
function isDecimal(cell: unknown): boolean {
  return cell === null || cell === undefined || (cell instanceof Uint8Array && cell.length === 16);
}

function groupAt({ row_groups: groups }: FileMetaData, rowStart: number): number {
  let before = 0;
  return groups.findIndex(({ num_rows: rows }) => {
    const isIt = before === rowStart && Number(rows) > 0;
    before += Number(rows);
    return isIt;
  });
}

function batchOf(rows: readonly Row[], rowStart: number, wantsFeeder: boolean): FileBatch {
  const batch = emptyBatch();
  for (const [index, row] of rows.entries()) takeRow(row, rowStart + index + 1, wantsFeeder, batch);
  return batch;
}

const CHANNELS: readonly [Column & ('kwh' | 'received_kwh'), EnergyChannel][] = [
  ['kwh', 'kwh'],
  ['received_kwh', 'receivedKwh'],
];

function takeRow(row: Row, line: number, wantsFeeder: boolean, batch: FileBatch): void {
  const { meter_id: meterId, interval_start: startUs, interval_minutes: minutes } = row;
  const refuse = (reason: string): void => void batch.refusals.push({ line, meterId, reason });
  if (typeof meterId !== 'string' || meterId === '')
    return void batch.refusals.push({ line, reason: 'meter_id is empty: it must name a meter' });
  if (typeof startUs !== 'bigint' || startUs % 1000n !== 0n)
    return void refuse('interval_start must be an instant, to the millisecond at most');
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1_440)
    return void refuse(`interval_minutes is ${minutes}: it must be whole minutes up to 1440`);
  if (!KINDS.has(row.quality as QualityKind))
    return void refuse(`quality is ${row.quality}: it must be one of ${[...KINDS].join(', ')}`);
  const quality: ReadQuality = {
    kind: row.quality as QualityKind,
    ...(row.quality_method ? { method: row.quality_method } : {}),
  };
  for (const [column, channel] of CHANNELS) {
    const cell = row[column];
    if (cell === null || cell === undefined) continue;
    const kwh = decimalOf(cell);
    if (kwh === undefined || kwh.startsWith('-'))
      refuse(`${column} is ${kwh ?? 'of more digits than are read'}: it must be a number from 0 up`);
    else
      batch.reads.push({
        ...{ meterId, channel, startMs: Number(startUs / 1000n), minutes, kwh, quality, line },
        feederId: wantsFeeder && row.feeder_id ? row.feeder_id : undefined,
      });
  }
}

/** Undefined of a value with more digits than are read. */
function decimalOf(cell: Uint8Array): string | undefined {
  return shifted(plainOf(cell), 0);
}

/** A DECIMAL(38, 18) as a plain decimal. */
function plainOf(cell: Uint8Array): string {
  const hex = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('hex');
  const value = BigInt.asIntN(8 * cell.byteLength, BigInt(`0x${hex}`));
  const digits = (value < 0n ? -value : value).toString().padStart(SCALE + 1, '0');
  const plain = `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${plain}` : plain;
}

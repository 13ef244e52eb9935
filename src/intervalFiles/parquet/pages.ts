import { parquetHeader } from 'hyparquet/src/column.js';
import type { ColumnMetaData, Compressors } from 'hyparquet/src/index.js';
import { snappyUncompress } from 'hyparquet/src/index.js';
import { UnreadableFileError } from '../intervalFiles.js';

/**
 * What the headers of pages may say. The reader makes room for what they announce before it looks at the data: a file of some
 * hundred bytes could have it ask for all of the machine's memory.
 */

/** Rows of a group that are held at once: ours have 20,000. */
export const MOST_GROUP_ROWS = 200_000;
/** Of a page once it is unpacked, and of a column's pages in one group together. */
const MOST_UNPACKED_BYTES = 32 * 2 ** 20;

/** @throws UnreadableFileError where a page is larger, unpacked, than any of ours. */
export const LIMITED: Compressors = {
  SNAPPY(packed: Uint8Array, unpackedBytes: number): Uint8Array {
    requireSize(unpackedBytes);
    const page = new Uint8Array(unpackedBytes);
    snappyUncompress(packed, page);
    return page;
  },
};

/**
 * Looks at the headers of a column's pages in a group.
 *
 * @param bytes the column's bytes of that group.
 * @throws UnreadableFileError where they announce more than the group has.
 */
export function requireFittingPages(bytes: ArrayBuffer, { codec }: ColumnMetaData, rows: number): void {
  if (codec !== 'SNAPPY' && codec !== 'UNCOMPRESSED')
    throw new UnreadableFileError(undefined, `its columns are packed by ${codec}: our exports have SNAPPY`);
  const reader = { view: new DataView(bytes), offset: 0 };
  let values = 0;
  let unpacked = 0;
  while (reader.offset < bytes.byteLength) {
    const header = parquetHeader(reader);
    const data = header.data_page_header ?? header.data_page_header_v2;
    const inPage = Number(data?.num_values ?? header.dictionary_page_header?.num_values ?? Number.NaN);
    const packed = Number(header.compressed_page_size);
    // `NaN` is no number of any of these.
    if (!(inPage >= 0 && inPage <= rows)) throw broken(`a page announces ${inPage} values of ${rows} rows`);
    if (!(packed >= 0 && reader.offset + packed <= bytes.byteLength)) throw broken('a page is cut off');
    if (data !== undefined) values += inPage;
    unpacked += Number(header.uncompressed_page_size);
    requireSize(unpacked);
    reader.offset += packed;
  }
  if (values !== rows) throw broken(`a column has ${values} values of ${rows} rows`);
}

function requireSize(bytes: number): void {
  if (!(bytes >= 0 && bytes <= MOST_UNPACKED_BYTES))
    throw new UnreadableFileError(
      undefined,
      `a page announces ${bytes} bytes, and those of our exports have at most ${MOST_UNPACKED_BYTES}`,
    );
}

/** The file as a whole is not as its own parts say. */
export function broken(reason: string): UnreadableFileError {
  return new UnreadableFileError(undefined, `its Parquet is broken or cut off: ${reason}`);
}

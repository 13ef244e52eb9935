import type { ColumnChunk, FileMetaData, RowGroup, SchemaElement, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeDataPageV2 } from 'hyparquet-writer/src/datapage.js';
import { writeDictionaryPage } from 'hyparquet-writer/src/dictionary.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { type Chunk, chunkOf } from './chunks.js';
import type { Column, Table } from './columns.js';

/** Rows of a group, by whose statistics a reader leaves it out: 640 meters' quarter hours of a day. */
const GROUP_ROWS = 61_440;
/** `PAR1`, at both ends of a file. */
const MAGIC = 0x31524150;
const ROOT: SchemaElement = { name: 'table' };

/** Makes pages smaller: the same bytes of the same bytes. */
export type Compress = (page: Uint8Array) => Uint8Array;

/**
 * A file of zstd pages with every column typed. `ParquetWriter` of the same package takes values, of which it finds statistics and
 * dictionaries by itself; here columns are whole numbers and dictionaries already, and a read costs a twentieth.
 */
export function parquetOf({ rows, columns }: Table, compress: Compress): Uint8Array {
  const writer = new ByteWriter(Math.max(1 << 16, rows * 6));
  writer.appendUint32(MAGIC);
  const elements = columns.map(elementOf);
  const groups: RowGroup[] = [];
  // One group at least: a list of none is written with a type that some readers refuse.
  for (let from = 0; from === 0 || from < rows; from += GROUP_ROWS) {
    const to = Math.min(rows, from + GROUP_ROWS);
    const begun = writer.offset;
    const chunks = columns.map((column, at) =>
      writeChunk(writer, elements[at] as SchemaElement, chunkOf(column, from, to), compress),
    );
    groups.push({
      columns: chunks,
      total_byte_size: chunks.reduce(
        (sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n),
        0n,
      ),
      num_rows: BigInt(to - from),
      total_compressed_size: BigInt(writer.offset - begun),
    });
  }
  const metadata: Omit<FileMetaData, 'metadata_length'> = {
    version: 2,
    created_by: 'GridLens AMI',
    schema: [{ ...ROOT, num_children: columns.length }, ...elements],
    num_rows: BigInt(rows),
    row_groups: groups,
  };
  // Bounds of ids are whole: a cut one would let fewer groups be left out.
  writeMetadata(writer, metadata as FileMetaData, Number.POSITIVE_INFINITY);
  writer.appendUint32(MAGIC);
  return writer.getBytes();
}

function elementOf(column: Column): SchemaElement {
  const { name } = column;
  const repetition_type = column.isNull ? ('OPTIONAL' as const) : ('REQUIRED' as const);
  switch (column.kind) {
    case 'text':
      return {
        name,
        repetition_type,
        type: 'BYTE_ARRAY',
        converted_type: 'UTF8',
        logical_type: { type: 'STRING' },
      };
    case 'decimal': {
      const { precision, scale } = column;
      const logical_type = { type: 'DECIMAL' as const, precision, scale };
      return {
        name,
        repetition_type,
        type: 'INT32',
        converted_type: 'DECIMAL',
        logical_type,
        precision,
        scale,
      };
    }
    case 'instant':
      return {
        ...{ name, repetition_type, type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'integer':
      return { name, repetition_type, type: 'INT32' };
    case 'boolean':
      return { name, repetition_type, type: 'BOOLEAN' };
  }
}

function writeChunk(
  writer: ByteWriter,
  element: SchemaElement,
  { dictionary, encoding, values, levels, bounds, nulls }: Chunk,
  compress: Compress,
): ColumnChunk {
  const begun = writer.offset;
  const column = {
    columnName: element.name,
    ...{ element, schemaPath: [ROOT, element], codec: 'ZSTD' as const, compressors: { ZSTD: compress } },
    ...{ stats: true, pageSize: 0, columnIndex: false, offsetIndex: false },
  };
  let uncompressed = 0;
  if (dictionary) uncompressed += writeDictionaryPage(writer, column, dictionary);
  const dataBegun = writer.offset;
  const pageData = {
    values,
    definitionLevels: levels,
    repetitionLevels: [],
    maxDefinitionLevel: levels.length > 0 ? 1 : 0,
  };
  uncompressed += writeDataPageV2({ writer, column, encoding, pageData });
  const statistics: Statistics = { ...bounds, null_count: BigInt(nulls) };
  return {
    file_offset: BigInt(begun),
    meta_data: {
      type: element.type as NonNullable<SchemaElement['type']>,
      encodings: dictionary ? ['PLAIN', encoding] : [encoding],
      path_in_schema: [element.name],
      codec: 'ZSTD',
      num_values: BigInt(values.length),
      total_compressed_size: BigInt(writer.offset - begun),
      total_uncompressed_size: BigInt(uncompressed),
      data_page_offset: BigInt(dataBegun),
      ...(dictionary && { dictionary_page_offset: BigInt(begun) }),
      statistics,
      encoding_stats: [
        ...(dictionary
          ? [{ page_type: 'DICTIONARY_PAGE' as const, encoding: 'PLAIN' as const, count: 1 }]
          : []),
        { page_type: 'DATA_PAGE_V2', encoding, count: 1 },
      ],
    },
  };
}

import { readCmep } from './cmep/cmep.js';
import { readCsv } from './csv/csv.js';
import type { CsvMapping } from './csv/mapping.js';
import type { FileFormat } from './detectFormat.js';
import { readEspi } from './espi/espi.js';
import { type FileBatch, type FileText, UnreadableFileError } from './intervalFiles.js';
import { readNem12 } from './nem12/nem12.js';

/** What has to be known of a file beside its text. */
export type FileMeaning =
  | { format: 'espi' | 'nem12' }
  | { format: 'cmep'; zone: string }
  | { format: 'csv'; mapping: CsvMapping }
  | { format: 'parquet'; feederColumn?: string | undefined };

/** What a file may be read from. */
export interface FileSource {
  /** The text from its beginning; ESPI is read twice. */
  open: () => FileText;
  /** Of Parquet, which is no text: `readParquet` behind whatever guards it. */
  parquet?: { read: (feederColumn?: string) => AsyncIterable<FileBatch> } | undefined;
}

/** The formats whose text does not say all that it means. */
export function needsMeaning(format: FileFormat): format is 'csv' | 'cmep' {
  return format === 'csv' || format === 'cmep';
}

/**
 * Reads a file of any format, piece by piece.
 *
 * @throws UnreadableFileError where the file as a whole is not what it should be: nothing of it may then be taken for whole.
 */
export function readIntervalFile(
  source: FileSource | FileSource['open'],
  meaning: FileMeaning,
): AsyncIterable<FileBatch> {
  const { open, parquet }: FileSource = typeof source === 'function' ? { open: source } : source;
  switch (meaning.format) {
    case 'espi':
      return readEspi(open);
    case 'nem12':
      return readNem12(open());
    case 'cmep':
      return readCmep(open(), meaning.zone);
    case 'csv':
      return readCsv(open(), meaning.mapping);
    case 'parquet':
      if (parquet === undefined)
        throw new UnreadableFileError(undefined, 'it is Parquet in an archive: unpack it first');
      return parquet.read(meaning.feederColumn);
  }
}

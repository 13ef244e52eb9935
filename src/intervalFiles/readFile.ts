import { readCmep } from './cmep/cmep.js';
import { readCsv } from './csv/csv.js';
import type { CsvMapping } from './csv/mapping.js';
import type { FileFormat } from './detectFormat.js';
import { readEspi } from './espi/espi.js';
import type { FileBatch, FileText } from './intervalFiles.js';
import { readNem12 } from './nem12/nem12.js';

/** What has to be known of a file beside its text. */
export type FileMeaning =
  | { format: 'espi' | 'nem12' }
  | { format: 'cmep'; zone: string }
  | { format: 'csv'; mapping: CsvMapping };

/** The formats whose text does not say all that it means. */
export function needsMeaning(format: FileFormat): format is 'csv' | 'cmep' {
  return format === 'csv' || format === 'cmep';
}

/**
 * Reads a file of any format, piece by piece.
 *
 * @param open the file's text from its beginning; ESPI is read twice.
 * @throws UnreadableFileError where the file as a whole is not what it should be: nothing of it may then be taken for whole.
 */
export function readIntervalFile(open: () => FileText, meaning: FileMeaning): AsyncIterable<FileBatch> {
  switch (meaning.format) {
    case 'espi':
      return readEspi(open);
    case 'nem12':
      return readNem12(open());
    case 'cmep':
      return readCmep(open(), meaning.zone);
    case 'csv':
      return readCsv(open(), meaning.mapping);
  }
}

import type { ExportFormat } from '../contracts/exportRequest.js';
import { longWriter } from './csv/writeLong.js';
import { wideWriter } from './csv/writeWide.js';
import { espiWriter } from './espi/writeEspi.js';
import { nem12Writer } from './nem12/writeNem12.js';
import type { FileWriter } from './outgoing.js';
import { parquetWriter } from './parquet/writeParquet.js';
import type { LocalZone } from './time/localZone.js';

/** Of each format the ending of the file's name and its media type. */
export const WRITTEN_FORMATS: Record<ExportFormat, { ending: string; mediaType: string }> = {
  csv: { ending: 'csv', mediaType: 'text/csv; charset=utf-8' },
  'csv-wide': { ending: 'csv', mediaType: 'text/csv; charset=utf-8' },
  'green-button': { ending: 'xml', mediaType: 'application/atom+xml; charset=utf-8' },
  nem12: { ending: 'csv', mediaType: 'text/csv; charset=utf-8' },
  parquet: { ending: 'parquet', mediaType: 'application/vnd.apache.parquet' },
};

/** The days of NEM12 are those of UTC+10 all year, in every state. */
export const NEM_ZONE = '+10:00';

export interface WrittenFile {
  /** Of the file, for people. */
  title: string;
  /** Whose days the file is for. */
  zone: LocalZone;
  /** Clock's ms of the midnights of its days. */
  days: readonly number[];
  /** When it is made, ms. */
  now: number;
  /** A UUID that is always the same for the same text. */
  uuidOf: (text: string) => string;
}

/** A writer of one file. */
export function fileWriter(format: ExportFormat, file: WrittenFile): FileWriter {
  switch (format) {
    case 'csv':
      return longWriter();
    case 'csv-wide':
      return wideWriter(file.zone, file.days);
    case 'green-button':
      return espiWriter(file);
    case 'nem12':
      return nem12Writer(file.now);
    case 'parquet':
      return parquetWriter();
  }
}

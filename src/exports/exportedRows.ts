import { type QualityKind, RAW, type ReadQuality } from '../intervalFiles/quality.js';

/** A row as `ami_exported_reads` answers it. */
export interface ExportedRow {
  meterId: string;
  feederId: string;
  startUs: number;
  kwh: string | null;
  deliveredKwh: string | null;
  voltage: string | null;
  flags: string[];
  writtenUs: number | null;
  revisedUs: number | null;
  receivedKwh: string | null;
  minutes: number | null;
  quality: QualityKind | null;
  qualityMethod: string | null;
}

/** Of that function, as the row names them. Those whose names other tables have are qualified with `read`. */
export const READ_COLUMNS = `read.meter_id AS "meterId", feeder_id AS "feederId", start_us AS "startUs", kwh,
  delivered_kwh AS "deliveredKwh", voltage, flags, written_us AS "writtenUs", revised_us AS "revisedUs",
  received_kwh AS "receivedKwh", interval_minutes AS minutes, quality, quality_method AS "qualityMethod"`;

/** What the table's columns mean. Emulated reads and a customer's own have no quality and no length: they are raw. */
export function asReads<R extends ExportedRow>(rows: readonly R[]) {
  return rows.map(({ quality: kind, qualityMethod: method, ...row }) => {
    const quality: ReadQuality = kind === null ? RAW : { kind, ...(method === null ? {} : { method }) };
    return { ...row, quality };
  });
}

/** The columns of a Parquet file that GridLens writes: those of its CSV files, each with a type. */

import { PRECISION, SCALE } from './unscaled.js';

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
/** With the older mark beside the newer one: DuckDB 1.5 takes a column with the newer alone for bytes. */
const decimal = {
  type: 'FIXED_LEN_BYTE_ARRAY',
  type_length: 16,
  converted_type: 'DECIMAL',
  logical_type: { type: 'DECIMAL', precision: PRECISION, scale: SCALE },
  ...{ precision: PRECISION, scale: SCALE },
} as const;
/** Without the mark of UTC, readers take it for a time of no zone. */
const instant = {
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
} as const;
const whole = { type: 'INT32' } as const;

export const COLUMNS = {
  meter_id: text,
  feeder_id: text,
  interval_start: instant,
  interval_minutes: whole,
  kwh: decimal,
  received_kwh: decimal,
  delivered_kwh: decimal,
  voltage: decimal,
  quality: text,
  quality_method: text,
  flags: text,
  written_at: instant,
  revised_at: instant,
} as const;
export type Column = keyof typeof COLUMNS;
export const NAMES = Object.keys(COLUMNS) as Column[];

/** What the sums of all energies are kept under in a file's end. */
export const SUMS_KEY = 'gridlens:sums';

/** The sums, each an exact decimal in kWh, as they are kept. */
export function sumsText({ kwh, receivedKwh }: { kwh: string; receivedKwh: string }): string {
  return JSON.stringify({ kwh, receivedKwh });
}

import { shifted } from '../decimal.js';
import type { EnergyChannel } from '../intervalFiles.js';
import type { ReadQuality } from '../quality.js';

/** What a row says of all of its values. */
export interface CsvRow {
  line: number;
  meterId: string;
  fields: readonly string[];
  quality: ReadQuality;
  /** Of the row's channel column, where there is one. */
  channel: EnergyChannel | undefined;
  /** Of the row's feeder column; undefined where there is none, or its cell is empty. */
  feederId: string | undefined;
}

/** kWh of a field; undefined of what is no number, or negative: both channels count up from 0. */
export function energyOf(text: string, decimalMark: '.' | ',', power: number): string | undefined {
  const plain = text.trim();
  if (decimalMark === ',' && plain.includes('.')) return undefined;
  const kwh = shifted(decimalMark === ',' ? plain.replace(',', '.') : plain, power);
  return kwh?.charAt(0) === '-' ? undefined : kwh;
}

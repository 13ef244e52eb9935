import { powerToKwh } from '../decimal.js';
import { intervalColumns } from './columns.js';
import {
  channelIn,
  ESTIMATED_NAMES,
  ESTIMATED_TEXTS,
  isEnergyName,
  MEASURED_TEXTS,
  plainName,
  unitIn,
} from './knownColumns.js';
import type { CsvMapping } from './mapping.js';

/** A field of the mapping, and one sentence about it. */
export interface Finding {
  field: keyof CsvMapping;
  text: string;
}

/** A proposal while it is made. */
export interface Proposing {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  given: Partial<CsvMapping>;
  mapping: Partial<CsvMapping>;
  restsOn: Finding[];
  open: Finding[];
}

const NUMBER = /^\d*[.,]?\d+$/;

/** The texts of a column, without the empty ones. */
export function textsOf(rows: Proposing['rows'], index: number): string[] {
  return rows.map((row) => (row[index] ?? '').trim()).filter((text) => text !== '');
}

function isNumeric(rows: Proposing['rows'], index: number): boolean {
  const texts = textsOf(rows, index);
  return texts.length > 0 && texts.every((text) => NUMBER.test(text));
}

function energyIndexes({ header, rows, mapping }: Proposing): number[] {
  if (mapping.layout === 'wide') return (intervalColumns(header)?.columns ?? []).map(({ index }) => index);
  return [...header.keys()].filter(
    (index) => isEnergyName(header[index] as string) && isNumeric(rows, index),
  );
}

export function proposedDecimalMark(proposing: Proposing): void {
  const { rows, mapping, restsOn, open } = proposing;
  if (mapping.decimalMark !== undefined) return;
  const texts = energyIndexes(proposing).flatMap((index) => textsOf(rows, index));
  const withComma = texts.find((text) => text.includes(','));
  const withPoint = texts.filter((text) => text.includes('.'));
  // 1.234 may be one and a bit, or one thousand; 0.234 and 1.23 may not.
  const clearPoint = withPoint.find((text) => !/^[1-9]\d{0,2}\.\d{3}$/.test(text));
  if (withComma !== undefined && withPoint.length === 0) {
    mapping.decimalMark = ',';
    restsOn.push({ field: 'decimalMark', text: `values are written like ${withComma}` });
  } else if (withComma === undefined && (withPoint.length === 0 || clearPoint !== undefined)) {
    mapping.decimalMark = '.';
    restsOn.push({
      field: 'decimalMark',
      text: clearPoint ? `values are written like ${clearPoint}` : 'no value has a fraction',
    });
  } else
    open.push({
      field: 'decimalMark',
      text: `is ${withComma ?? withPoint[0]} written with a decimal point (.) or a decimal comma (,)?`,
    });
}

/** Columns of energy, with channel and unit. */
export function proposedValues(proposing: Proposing): void {
  if (proposing.mapping.layout === 'wide') return void proposedOfAll(proposing);
  const { header, mapping, restsOn, open } = proposing;
  if (mapping.values !== undefined) return;
  const columns = energyIndexes(proposing).map((index) => header[index] as string);
  if (columns.length === 0)
    return void open.push({
      field: 'values',
      text: 'which columns have the energy, of which channel, in which unit?',
    });
  const values = columns.map((column) => ({
    column,
    channel: channelIn(column) ?? (columns.length === 1 ? 'kwh' : undefined),
    unit: unitIn(column) ?? mapping.unit ?? unitOfColumn(proposing),
  }));
  const unclear = values.find(
    ({ channel, unit }) => channel === undefined || channel === 'either' || unit === undefined,
  );
  if (unclear !== undefined) {
    const asks =
      unclear.unit === undefined
        ? 'its unit (Wh, kWh or MWh)'
        : 'its channel: kwh (from the grid) or receivedKwh (into the grid)';
    return void open.push({ field: 'values', text: `column ${unclear.column} does not say ${asks}` });
  }
  mapping.values = values as NonNullable<CsvMapping['values']>;
  for (const { column, channel, unit } of values)
    restsOn.push({
      field: 'values',
      text: `${column} is ${channel} in ${unit}${channelIn(column) ? '' : ': it is the only column of energy, and names no direction'}`,
    });
}

function proposedOfAll(proposing: Proposing): void {
  const { mapping, restsOn, open } = proposing;
  if (mapping.channel === undefined && mapping.channelColumn === undefined) {
    mapping.channel = 'kwh';
    restsOn.push({
      field: 'channel',
      text: 'no column names a direction: all is taken as energy from the grid',
    });
  }
  if (mapping.unit !== undefined) return;
  const unit = unitOfColumn(proposing);
  if (unit === undefined)
    return void open.push({ field: 'unit', text: 'is the energy in Wh, kWh or MWh? No column says it' });
  mapping.unit = unit;
  restsOn.push({ field: 'unit', text: `a column says ${unit} in every row` });
}

/** The unit that a column of units has in all rows. */
function unitOfColumn({ header, rows }: Proposing): string | undefined {
  const index = header.findIndex((name) => /^(?:unit|units|uom|einheit)$/.test(plainName(name)));
  if (index < 0) return undefined;
  const units = new Set(textsOf(rows, index));
  const [unit] = units;
  return units.size === 1 && unit !== undefined && powerToKwh(unit) !== undefined ? unit : undefined;
}

export function proposedEstimated({ header, rows, mapping, restsOn, open }: Proposing): void {
  if (mapping.estimatedColumn !== undefined) return;
  const index = header.findIndex((name) => ESTIMATED_NAMES.test(plainName(name)));
  const name = header[index];
  if (name === undefined) return;
  const texts = [...new Set(rows.map((row) => (row[index] ?? '').trim()))];
  const isKnown = (text: string): boolean =>
    ESTIMATED_TEXTS.has(text.toLowerCase()) || MEASURED_TEXTS.has(text.toLowerCase());
  // Y and 1 answer the column's name: only one that asks for an estimate is known.
  const answers = texts.some((text) => /^(?:y|n|yes|no|true|false|0|1)$/i.test(text));
  if (!texts.every(isKnown) || (answers && !/estimat|geschatzt/.test(plainName(name))))
    return void open.push({
      field: 'estimatedColumn',
      text: `which texts of ${name} say that a value is estimated? It has ${texts.slice(0, 8).join(', ')}`,
    });
  mapping.estimatedColumn = name;
  // Both, since the first rows may have only one.
  mapping.estimatedTexts = answers
    ? ['Y', 'Yes', 'true', '1', ...texts]
    : ['E', 'Est', 'Estimated', ...texts];
  mapping.estimatedTexts = unique(
    mapping.estimatedTexts.filter((text) => ESTIMATED_TEXTS.has(text.toLowerCase())),
  );
  mapping.measuredTexts = answers ? ['N', 'No', 'false', '0', ...texts] : ['A', 'Act', 'Actual', ...texts];
  mapping.measuredTexts = unique(
    mapping.measuredTexts.filter((text) => MEASURED_TEXTS.has(text.toLowerCase())),
  );
  restsOn.push({ field: 'estimatedColumn', text: `${name} has ${texts.slice(0, 8).join(', ')}` });
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

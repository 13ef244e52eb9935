import { powerToKwh } from '../decimal.js';
import { type EnergyChannel, UnreadableFileError } from '../intervalFiles.js';
import { parseTime } from '../time/clockTexts.js';
import type { CsvMapping } from './mapping.js';

/** Fewer columns of intervals than this are no wide file. */
const FEWEST_INTERVALS = 20;

/** A column of a wide file. */
export interface IntervalColumn {
  index: number;
  /** Minutes since midnight that the column names, 0 to 1,440; of a numbered column the number, from 1. */
  at: number;
  /** Of a column that names both ends, such as `00:00-00:15`. */
  to?: number;
}
export interface IntervalColumns {
  isNumbered: boolean;
  columns: IntervalColumn[];
}

const RANGE = /^(\d{1,2}:\d{2}) ?(?:-|–|to) ?(\d{1,2}:\d{2})$/;
const NUMBERED = /^([^\d]*)(\d{1,3})$/;

/** The columns of intervals, by their names alone; undefined where there are too few of them. */
export function intervalColumns(header: readonly string[]): IntervalColumns | undefined {
  const clock = clockColumns(header);
  if (clock.length >= FEWEST_INTERVALS) return { isNumbered: false, columns: clock };
  const numbered = numberedColumns(header);
  return numbered.length >= FEWEST_INTERVALS ? { isNumbered: true, columns: numbered } : undefined;
}

function clockColumns(header: readonly string[]): IntervalColumn[] {
  const columns: IntervalColumn[] = [];
  for (const [index, name] of header.entries()) {
    const range = RANGE.exec(name);
    const from = parseTime(range?.[1] ?? name);
    if (from === undefined) continue;
    // Behind other times, midnight is the end of the day.
    const at = from === 0 && columns.length > 0 ? 1_440 : from;
    const to = range && parseTime(range[2] as string);
    columns.push({ index, at, ...(typeof to === 'number' ? { to: to === 0 ? 1_440 : to } : {}) });
  }
  return columns;
}

function numberedColumns(header: readonly string[]): IntervalColumn[] {
  const columns: IntervalColumn[] = [];
  for (const [index, name] of header.entries()) {
    const number = Number(NUMBERED.exec(name)?.[2] ?? Number.NaN);
    if (number === columns.length + 1) columns.push({ index, at: number });
  }
  return columns;
}

/** A column of energy of a long file. */
export interface ValueColumn {
  index: number;
  name: string;
  channel: EnergyChannel;
  power: number;
}

/** Where the mapping's columns are in a header. */
export interface CsvColumns {
  meter: number;
  feeder: number | undefined;
  timestamp: number | undefined;
  date: number | undefined;
  time: number | undefined;
  channel: number | undefined;
  estimated: number | undefined;
  values: ValueColumn[];
  intervals: IntervalColumns | undefined;
}

/** Whether a line has all columns that the mapping names: it is the header then. */
export function isHeader(fields: readonly string[], mapping: CsvMapping): boolean {
  return namedColumns(mapping).every((name) => fields.includes(name));
}

export function namedColumns(mapping: CsvMapping): string[] {
  const single = [
    ...[mapping.meterColumn, mapping.feederColumn],
    ...[mapping.timestampColumn, mapping.dateColumn, mapping.timeColumn],
    ...[mapping.channelColumn, mapping.estimatedColumn],
  ];
  return [...single, ...(mapping.values ?? []).map(({ column }) => column)].filter(
    (name) => name !== undefined,
  );
}

/** @throws UnreadableFileError where a column is there twice, or what the layout needs is missing. */
export function findColumns(header: readonly string[], mapping: CsvMapping, line: number): CsvColumns {
  const find = (name: string): number => {
    const index = header.indexOf(name);
    if (index !== header.lastIndexOf(name))
      throw new UnreadableFileError(line, `there are two columns ${name}`);
    return index;
  };
  const maybe = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : find(name);
  const values = (mapping.values ?? []).map(({ column, channel, unit }) => ({
    ...{ index: find(column), name: column, channel },
    power: powerToKwh(unit) as number,
  }));
  const intervals = mapping.layout === 'wide' ? intervalColumns(header) : undefined;
  const found = {
    meter: find(mapping.meterColumn),
    feeder: maybe(mapping.feederColumn),
    timestamp: maybe(mapping.timestampColumn),
    date: maybe(mapping.dateColumn),
    time: maybe(mapping.timeColumn),
    channel: maybe(mapping.channelColumn),
    estimated: maybe(mapping.estimatedColumn),
    ...{ values, intervals },
  };
  const lacking = lack(found, mapping);
  if (lacking !== undefined) throw new UnreadableFileError(line, lacking);
  return found;
}

function lack(
  { timestamp, date, time, values, intervals }: CsvColumns,
  mapping: CsvMapping,
): string | undefined {
  const { layout, minutes } = mapping;
  if (layout === 'long') {
    if (timestamp === undefined && (date === undefined || time === undefined))
      return 'the mapping of a long file must name timestampColumn, or dateColumn and timeColumn';
    return values.length === 0 ? 'the mapping of a long file must name its values' : undefined;
  }
  if (date === undefined) return 'the mapping of a wide file must name dateColumn';
  if (mapping.unit === undefined) return 'the mapping of a wide file must name its unit';
  if (mapping.channel === undefined && mapping.channelColumn === undefined)
    return 'the mapping of a wide file must name its channel or its channelColumn';
  if (intervals === undefined) return 'the header has no columns of intervals, such as 00:15 or 1 to 96';
  const day = 1_440 / minutes;
  const { isNumbered, columns } = intervals;
  if (columns.length < day)
    return `a day of ${minutes} minutes has ${day} intervals, and the header has ${columns.length}`;
  if (isNumbered && mapping.numbered === undefined)
    return 'the columns are numbered: say in the mapping with numbered whether by the clock or by the time elapsed';
  const [first, second] = columns;
  if (!isNumbered && first && second && second.at - first.at !== minutes)
    return `the columns are ${second.at - first.at} minutes apart, and the mapping says ${minutes}`;
  return undefined;
}

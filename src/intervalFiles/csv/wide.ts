import type { EnergyChannel, FileBatch } from '../intervalFiles.js';
import type { CsvColumns, IntervalColumn } from './columns.js';
import type { CsvMapping } from './mapping.js';
import type { ClockValue, Placement } from './placement.js';
import { type CsvRow, energyOf } from './row.js';

interface WideFile {
  mapping: CsvMapping;
  placement: Placement;
  batch: FileBatch;
  /** Midnight of the row's date by the clock; undefined where the row has none. */
  day: number | undefined;
  power: number;
}

const MS_PER_DAY = 86_400_000;

/** Places all values of a row. Empty cells are no reads: they are told once a row, but for times that the day does not have. */
export function wideRow(row: CsvRow, { intervals, date }: CsvColumns, file: WideFile): void {
  const { mapping, batch, day, power } = file;
  const { line, meterId, fields, quality, feederId } = row;
  const refuse = (reason: string): void => void batch.refusals.push({ line, meterId, reason });
  if (day === undefined)
    return void refuse(`${fields[date as number] || 'nothing'} is no date in the order ${mapping.dateOrder}`);
  if (intervals === undefined) return;
  const empty: string[] = [];
  const seen = new Set<number>();
  for (const column of intervals.columns) {
    const text = (fields[column.index] as string).trim();
    const isRepeated = !intervals.isNumbered && seen.has(column.at);
    seen.add(column.at);
    if (text === '') {
      if (!isRepeated && isInDay(column, day, intervals.isNumbered, file))
        empty.push(nameOf(column, intervals.isNumbered));
      continue;
    }
    const kwh = energyOf(text, mapping.decimalMark, power);
    if (kwh === undefined) {
      refuse(
        `the value at ${nameOf(column, intervals.isNumbered)} is ${text}: it must be a number from 0 up, with "${mapping.decimalMark}" as decimal mark`,
      );
      continue;
    }
    const channel = row.channel ?? (mapping.channel as EnergyChannel);
    const value = { meterId, channel, kwh, quality, line, feederId };
    if (intervals.isNumbered) placeNumbered(value, column, day, file, refuse);
    else placeClock(value, column, day, file, isRepeated, refuse);
  }
  if (empty.length > 0)
    refuse(`${empty.length} of the day's values are empty, the first at ${empty[0]}: they give no reads`);
}

type Value = Omit<ClockValue, 'local'>;

function placeClock(
  value: Value,
  column: IntervalColumn,
  day: number,
  { placement, batch }: WideFile,
  isRepeated: boolean,
  refuse: (reason: string) => void,
): void {
  const local = localOf(column, day, placement);
  if (isRepeated && placement.isShownOnce(local))
    return void refuse(
      `the second column ${nameOf(column, false)} has a value, and the clocks show that time once on this day`,
    );
  placement.place({ ...value, local }, batch);
}

function localOf({ at, to }: IntervalColumn, day: number, placement: Placement): number {
  return day + (placement.isStart ? at : (to ?? at)) * 60_000;
}

function placeNumbered(
  value: Value,
  { at }: IntervalColumn,
  day: number,
  { mapping, placement, batch }: WideFile,
  refuse: (reason: string) => void,
): void {
  const sinceMidnight = (at - 1) * mapping.minutes * 60_000;
  if (mapping.numbered === 'clock') {
    const isEnd = mapping.stamp !== 'start';
    return void placement.place(
      { ...value, local: day + sinceMidnight + (isEnd ? mapping.minutes * 60_000 : 0) },
      batch,
    );
  }
  const [midnight] = placement.zone?.instantsOf(day) ?? [];
  const [next] = placement.zone?.instantsOf(day + MS_PER_DAY) ?? [];
  if (midnight === undefined || next === undefined)
    return void refuse('the clocks show no midnight at the beginning or the end of this day');
  if (midnight + sinceMidnight >= next)
    return void refuse(`the value of interval ${at} is after the end of the day`);
  placement.emit({ ...value, local: day }, midnight + sinceMidnight, batch);
}

/** Whether the day has the column's interval, so that its value is missing where the cell is empty. */
function isInDay(
  column: IntervalColumn,
  day: number,
  isNumbered: boolean,
  { mapping, placement }: WideFile,
): boolean {
  if (!isNumbered) return placement.isShown(localOf(column, day, placement));
  if (mapping.numbered === 'clock')
    return placement.isShown(day + (column.at - (placement.isStart ? 1 : 0)) * mapping.minutes * 60_000);
  const [midnight] = placement.zone?.instantsOf(day) ?? [];
  const [next] = placement.zone?.instantsOf(day + MS_PER_DAY) ?? [];
  return (
    midnight === undefined ||
    next === undefined ||
    midnight + (column.at - 1) * mapping.minutes * 60_000 < next
  );
}

function nameOf({ at }: IntervalColumn, isNumbered: boolean): string {
  if (isNumbered) return `interval ${at}`;
  return `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
}

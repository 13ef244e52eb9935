import { DATE_ORDERS, parseDate, parseStamp, parseTime } from '../time/clockTexts.js';
import { endIn } from './knownColumns.js';
import { type Proposing, textsOf } from './proposeValues.js';

/** Where a file's dates and times are, as indexes of its columns. */
export interface TimeColumns {
  timestamp: number | undefined;
  date: number | undefined;
  time: number | undefined;
}

const isDate = (text: string): boolean => DATE_ORDERS.some((order) => parseDate(text, order) !== undefined);
const isStamp = (text: string): boolean => DATE_ORDERS.some((order) => parseStamp(text, order) !== undefined);
/** Whether a text is a stamp with its offset from UTC. */
export const hasOffset = (text: string): boolean =>
  DATE_ORDERS.some((order) => parseStamp(text, order)?.offsetMs !== undefined);
const isTime = (text: string): boolean => parseTime(text) !== undefined;

/** By what is in them; of several the one for the start, whose meaning no convention changes. */
export function timeColumns({ header, rows, mapping }: Proposing): TimeColumns {
  const find = (name: string | undefined, is: (text: string) => boolean): number | undefined => {
    if (name !== undefined) return header.indexOf(name);
    const fitting = [...header.keys()].filter((index) => {
      const texts = textsOf(rows, index);
      return (
        texts.length > 0 && texts.every(is) && !(mapping.layout === 'wide' && isTime(header[index] as string))
      );
    });
    return fitting.find((index) => endIn(header[index] as string) === 'start') ?? fitting[0];
  };
  const hasParts = mapping.dateColumn !== undefined || mapping.layout === 'wide';
  const timestamp = hasParts ? undefined : find(mapping.timestampColumn, isStamp);
  if (timestamp !== undefined) return { timestamp, date: undefined, time: undefined };
  const isClock = (text: string): boolean => isTime(text) && text.includes(':');
  return {
    timestamp,
    date: find(mapping.dateColumn, isDate),
    time: mapping.layout === 'wide' ? undefined : find(mapping.timeColumn, isClock),
  };
}

/** Names the columns in the mapping, and asks for those that are not found. */
export function proposedColumns(
  { header, mapping, restsOn, open }: Proposing,
  { timestamp, date, time }: TimeColumns,
): void {
  const take = (
    field: 'timestampColumn' | 'dateColumn' | 'timeColumn',
    index: number | undefined,
    what: string,
  ): void => {
    if (index === undefined || mapping[field] !== undefined) return;
    mapping[field] = header[index] as string;
    restsOn.push({ field, text: `${header[index]} has ${what} in every row` });
  };
  take('timestampColumn', timestamp, 'a date and a time');
  take('dateColumn', date, 'a date');
  take('timeColumn', time, 'a time');
  if (timestamp === undefined && date === undefined)
    open.push({
      field: 'dateColumn',
      text: 'which column has the date, or date and time (timestampColumn)?',
    });
  else if (timestamp === undefined && time === undefined && mapping.layout === 'long')
    open.push({ field: 'timeColumn', text: 'which column has the time of day?' });
}

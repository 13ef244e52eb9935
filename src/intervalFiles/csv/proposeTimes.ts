import { DATE_ORDERS, type DateOrder, parseDate, parseStamp, parseTime } from '../time/clockTexts.js';
import { LocalZone } from '../time/localZone.js';
import { intervalColumns } from './columns.js';
import { endIn } from './knownColumns.js';
import { STAMPS_HAVE_OFFSETS } from './mapping.js';
import { type Proposing, textsOf } from './proposeValues.js';
import { hasOffset, proposedColumns, type TimeColumns, timeColumns } from './timeColumns.js';

/** Everything that says which instant a value is for. */
export function proposedTimes(proposing: Proposing): void {
  const times = timeColumns(proposing);
  proposedColumns(proposing, times);
  proposedOrder(proposing, times);
  const { mapping, restsOn, open } = proposing;
  if (mapping.zone === undefined) {
    const texts = times.timestamp === undefined ? [] : textsOf(proposing.rows, times.timestamp);
    if (texts.length > 0 && texts.every(hasOffset)) {
      mapping.zone = STAMPS_HAVE_OFFSETS;
      restsOn.push({ field: 'zone', text: `stamps have an offset from UTC, as ${texts[0]}` });
    } else
      open.push({
        field: 'zone',
        text: 'whose clock are the times? An IANA zone such as America/New_York, UTC, or an offset such as +10:00',
      });
  }
  proposedLength(proposing, times);
  proposedEnd(proposing, times);
  proposedRepeatedHour(proposing, times);
}

function proposedOrder({ rows, mapping, restsOn, open }: Proposing, { timestamp, date }: TimeColumns): void {
  const index = timestamp ?? date;
  if (mapping.dateOrder !== undefined || index === undefined) return;
  const texts = textsOf(rows, index);
  const reads = (order: DateOrder) => (text: string) =>
    (timestamp === undefined ? parseDate(text, order) : parseStamp(text, order)) !== undefined;
  const fitting = DATE_ORDERS.filter((order) => texts.every(reads(order)));
  const [order] = fitting;
  if (fitting.length === 1 && order !== undefined) {
    mapping.dateOrder = order;
    restsOn.push({
      field: 'dateOrder',
      text: `no other order makes dates of all, as ${texts.find((text) => !reads(order === 'mdy' ? 'dmy' : 'mdy')(text)) ?? texts[0]}`,
    });
  } else
    open.push({
      field: 'dateOrder',
      text: `is ${texts[0]} month first (mdy) or day first (dmy)? No day of the first rows is above 12`,
    });
}

/** For the time between rows of one day any order will do. */
function anyOrder(rows: Proposing['rows'], index: number | undefined): DateOrder {
  const text = (index === undefined ? undefined : textsOf(rows, index)[0]) ?? '';
  return (
    DATE_ORDERS.find((order) => (parseDate(text, order) ?? parseStamp(text, order)) !== undefined) ?? 'ymd'
  );
}

/** A clock's ms of each row, in the order of the file. */
function locals(
  { rows, mapping }: Proposing,
  { timestamp, date, time }: TimeColumns,
): (number | undefined)[] {
  const order = mapping.dateOrder ?? anyOrder(rows, timestamp ?? date);
  return rows.map((row) => {
    if (timestamp !== undefined) {
      const stamp = parseStamp((row[timestamp] ?? '').trim(), order);
      return stamp && stamp.local - (stamp.offsetMs ?? 0);
    }
    const day = date === undefined ? undefined : parseDate((row[date] ?? '').trim(), order);
    const minutes = time === undefined ? undefined : parseTime((row[time] ?? '').trim());
    return day === undefined || minutes === undefined ? undefined : day + minutes * 60_000;
  });
}

function proposedLength(proposing: Proposing, times: TimeColumns): void {
  const { header, mapping, restsOn, open } = proposing;
  if (mapping.minutes !== undefined) return;
  if (mapping.layout === 'wide') {
    const { isNumbered = false, columns = [] } = intervalColumns(header) ?? {};
    const [first, second] = columns;
    // Four columns more are those of the hour that the clocks repeat.
    mapping.minutes = isNumbered
      ? 1_440 / (columns.length - (columns.length % 24))
      : (second?.at ?? 0) - (first?.at ?? 0);
    return void restsOn.push({
      field: 'minutes',
      text: `the header has ${columns.length} columns of intervals`,
    });
  }
  const counts = new Map<number, number>();
  let before: { meter: string | undefined; local: number | undefined } = {
    meter: undefined,
    local: undefined,
  };
  const meterAt = header.indexOf(mapping.meterColumn ?? '');
  for (const [index, local] of locals(proposing, times).entries()) {
    const meter = proposing.rows[index]?.[meterAt];
    const minutes = (Number(local) - Number(before.local)) / 60_000;
    if (meter === before.meter && minutes > 0) counts.set(minutes, (counts.get(minutes) ?? 0) + 1);
    before = { meter, local };
  }
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1]);
  if (most === undefined || 1_440 % most[0] !== 0)
    return void open.push({
      field: 'minutes',
      text: 'how many minutes is an interval? The first rows have no meter twice in a row',
    });
  mapping.minutes = most[0];
  restsOn.push({ field: 'minutes', text: `rows of one meter are ${most[0]} minutes apart` });
}

function proposedEnd(proposing: Proposing, times: TimeColumns): void {
  const { header, mapping, restsOn, open } = proposing;
  if (mapping.stamp !== undefined) return;
  const found = mapping.layout === 'wide' ? endOfColumns(header) : endOfRows(proposing, times);
  if (found === undefined)
    return void open.push({
      field: 'stamp',
      text: 'does a time name the start of its interval (start), or the end (end)?',
    });
  mapping.stamp = found.end;
  restsOn.push({ field: 'stamp', text: found.why });
}

function endOfColumns(header: readonly string[]): { end: 'start' | 'end'; why: string } | undefined {
  const { isNumbered = true, columns = [] } = intervalColumns(header) ?? {};
  if (isNumbered) return { end: 'start', why: 'numbered columns name no end' };
  if (columns[0]?.to !== undefined) return { end: 'start', why: 'the columns name both ends' };
  const end = columns[0]?.at === 0 ? 'start' : 'end';
  return {
    end,
    why: `the first column is ${header[columns[0]?.index ?? 0]}, the last is ${header[columns.at(-1)?.index ?? 0]}`,
  };
}

function endOfRows(
  { header, rows }: Proposing,
  { timestamp, time }: TimeColumns,
): { end: 'start' | 'end'; why: string } | undefined {
  const index = timestamp ?? time;
  if (index === undefined) return undefined;
  const name = header[index] as string;
  const end = endIn(name);
  if (end !== undefined) return { end, why: `the column is called ${name}` };
  const isEnd = textsOf(rows, index).some((text) => /\b24:00/.test(text));
  return isEnd ? { end: 'end', why: '24:00 is the end of a day' } : undefined;
}

/** Not asked about: a value in the repeated hour is refused, with the question, where nothing is known. */
function proposedRepeatedHour(proposing: Proposing, times: TimeColumns): void {
  const { header, given, mapping, restsOn } = proposing;
  if (mapping.repeatedHour !== undefined) return;
  const { columns = [] } = mapping.layout === 'wide' ? (intervalColumns(header) ?? {}) : {};
  if (new Set(columns.map(({ at }) => at)).size < columns.length) {
    mapping.repeatedHour = 'inOrder';
    return void restsOn.push({ field: 'repeatedHour', text: 'the columns of an hour are there twice' });
  }
  const twice = mapping.layout === 'long' ? repeatedLocals(proposing, times) : [];
  mapping.repeatedHour = twice.length > 0 ? 'inOrder' : 'refuse';
  restsOn.push({
    field: 'repeatedHour',
    text:
      twice.length > 0
        ? 'a meter has times twice'
        : 'the first rows show no hour twice: values in one will be refused',
  });
  if (mapping.stamp === 'end' && given.stamp === undefined && isByClock(proposing, twice)) {
    mapping.stamp = 'endByClock';
    restsOn.push({
      field: 'stamp',
      text: 'the times that come twice are those that the clock shows at the end',
    });
  }
}

function repeatedLocals(proposing: Proposing, times: TimeColumns): number[] {
  const { header, mapping, rows } = proposing;
  const meterAt = header.indexOf(mapping.meterColumn ?? '');
  const seen = new Set<string>();
  const twice = new Set<number>();
  for (const [index, local] of locals(proposing, times).entries()) {
    const key = `${local} ${rows[index]?.[meterAt]}`;
    if (local !== undefined && seen.has(key)) twice.add(local);
    seen.add(key);
  }
  return [...twice];
}

function isByClock({ mapping }: Proposing, twice: readonly number[]): boolean {
  if (mapping.zone === undefined || mapping.zone === STAMPS_HAVE_OFFSETS || twice.length === 0) return false;
  const zone = new LocalZone(mapping.zone);
  return twice.every((local) => zone.instantsOf(local).length === 2);
}

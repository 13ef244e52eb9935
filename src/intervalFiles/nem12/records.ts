/** The values that a day has at each length of interval that NEM12 knows (AEMO MDFF 2.6). */
export const LENGTHS: ReadonlySet<number> = new Set([5, 15, 30]);
export const MINUTES_PER_DAY = 1_440;
/** NEM time: UTC+10 all year, in every state. */
export const NEM_TIME_MS = 10 * 3_600_000;

/** A 200 record: whose values follow, of what, how long each interval is. */
export interface Nem12Register {
  /** The connection point's national identifier. */
  nmi: string;
  /** E1: from the grid; B1: into the grid; K1, Q1: reactive. */
  suffix: string;
  unit: string;
  minutes: number;
}

/** @returns what is wrong, as a sentence, where it is no 200 record. */
export function parseRegister(fields: readonly string[]): Nem12Register | string {
  const [, nmi = '', , , suffix = '', , , unit = '', length = ''] = fields;
  if (nmi === '') return 'the NMI of the 200 record is empty: it names the meter';
  if (!/^[A-Z][0-9A-Z]$/i.test(suffix))
    return `the NMI suffix is ${suffix || 'empty'}: it must be a letter and a number, for example E1`;
  const minutes = Number(length);
  if (!LENGTHS.has(minutes))
    return `the interval length is ${length || 'empty'}: it must be 5, 15 or 30 minutes`;
  return { nmi, suffix: suffix.toUpperCase(), unit, minutes };
}

/** A 300 record: the values of a day, each for the interval that ends so many lengths after midnight. */
export interface Nem12Day {
  /** Start of the first interval, ms since 1970 UTC. */
  startMs: number;
  values: readonly string[];
  /** V: 400 records say it of each interval. */
  flag: string;
  line: number;
}

export function parseDay(fields: readonly string[], minutes: number, line: number): Nem12Day | string {
  const count = MINUTES_PER_DAY / minutes;
  const startMs = nemMidnight(fields[1] ?? '');
  if (startMs === undefined) return `the date is ${fields[1] || 'empty'}: it must be a day as 20260131`;
  if (fields.length < 3 + count)
    return `the 300 record has ${fields.length - 2} fields after its date: a day of ${minutes} minutes has ${count} values and then its quality`;
  return { startMs, values: fields.slice(2, 2 + count), flag: fields[2 + count] ?? '', line };
}

/** Midnight of a day in NEM time, in ms UTC; undefined where there is no such day. */
function nemMidnight(text: string): number | undefined {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0] = found.slice(1).map(Number);
  const at = Date.UTC(year, month - 1, day);
  const isDay = new Date(at).getUTCMonth() === month - 1 && new Date(at).getUTCDate() === day;
  return isDay && year >= 2000 ? at - NEM_TIME_MS : undefined;
}

/** A 400 record: the quality of the intervals `from` to `to`, both counted from 1. */
export interface Nem12Event {
  from: number;
  to: number;
  flag: string;
}

export function parseEvent(
  fields: readonly string[],
  last: number | undefined,
  count: number,
): Nem12Event | string {
  const [, first = '', end = '', flag = ''] = fields;
  const from = Number(first);
  const to = Number(end);
  const expected = (last ?? 0) + 1;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from !== expected || to < from || to > count)
    return `the 400 record is for the intervals ${first} to ${end}: it must begin at ${expected} and end by ${count}`;
  return { from, to, flag };
}

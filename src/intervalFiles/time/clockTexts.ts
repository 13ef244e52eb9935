export const DATE_ORDERS = ['ymd', 'mdy', 'dmy'] as const;
/** In which order a date names year, month and day. */
export type DateOrder = (typeof DATE_ORDERS)[number];

const MS_PER_DAY = 86_400_000;

const YEAR_FIRST = /^(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})$/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/;
const TIME = /^(\d{1,2}):(\d{2})(?::00(?:\.0+)?)?(?: ?([AaPp])\.?[Mm]\.?)?$/;
const SHORT_TIME = /^(\d{2})(\d{2})$/;

/**
 * Midnight of a date as a clock's ms (`LocalZone`), from `2026-10-31`, `20261031`, `10/31/2026` or `31.10.2026`.
 *
 * @returns undefined of what is no date in that order, two digits of a year included.
 */
export function parseDate(text: string, order: DateOrder): number | undefined {
  const found = (order === 'ymd' ? YEAR_FIRST : YEAR_LAST).exec(text);
  if (found === null) return undefined;
  const [one = 0, two = 0, three = 0] = [found[1], found[3], found[4]].map(Number);
  if (order === 'ymd') return midnight(one, two, three, found[2] === '' && text.length !== 8);
  return order === 'mdy' ? midnight(three, one, two) : midnight(three, two, one);
}

function midnight(year: number, month: number, day: number, isTorn = false): number | undefined {
  if (isTorn || year < 1990 || year > 2100) return undefined;
  const at = Date.UTC(year, month - 1, day);
  const date = new Date(at);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? at : undefined;
}

/**
 * Minutes since midnight, 0 to 1,440, from `07:15`, `07:15:00`, `0715`, `7:15 AM` or `24:00`.
 *
 * @returns undefined of what is none. Seconds must be 0: no interval begins elsewhere.
 */
export function parseTime(text: string): number | undefined {
  const found = TIME.exec(text) ?? SHORT_TIME.exec(text);
  if (found === null) return undefined;
  const [, hourText, minuteText, half] = found;
  let hour = Number(hourText);
  const minute = Number(minuteText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  }
  const minutes = hour * 60 + minute;
  return minute < 60 && minutes <= 1_440 ? minutes : undefined;
}

/** A stamp: what a clock shows, and the offset where the stamp has one, both in ms. */
export interface Stamp {
  local: number;
  offsetMs?: number;
}

const STAMP = /^(\S+?)(?:T|[ ,]+)(\d[\d:.]*(?: ?[AaPp]\.?[Mm]\.?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?$/;

/** A date and a time in one text, such as `2026-10-31T07:15:00Z` or `10/31/2026 7:15 AM`. */
export function parseStamp(text: string, order: DateOrder): Stamp | undefined {
  const found = STAMP.exec(text);
  if (found === null) return undefined;
  const [, dateText = '', timeText = '', offset] = found;
  const date = parseDate(dateText, order);
  const minutes = parseTime(timeText);
  if (date === undefined || minutes === undefined) return undefined;
  const local = date + minutes * 60_000;
  return offset === undefined ? { local } : { local, offsetMs: offsetOf(offset) };
}

function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (text.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

/** The local day of a clock's ms. */
export function dayOf(local: number): string {
  return new Date(Math.floor(local / MS_PER_DAY) * MS_PER_DAY).toISOString().slice(0, 10);
}

/** A clock's ms as people write them: `2026-11-01 01:15`. */
export function shownLocal(local: number): string {
  return new Date(local).toISOString().slice(0, 16).replace('T', ' ');
}

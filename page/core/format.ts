/** Numbers, spans and times as the page writes them. Pure: the time zone is an argument, the reader's own by default. */

/** The page is in English; 24 hours and the day before the month leave no doubt which is which. */
const LOCALE = 'en-GB';
/** What stands where nothing was read. */
export const NOTHING = '–';

const counts = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const decimals = (digits: number) =>
  new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const [oneDecimal, twoDecimals, threeDecimals] = [decimals(1), decimals(2), decimals(3)];

type Maybe = number | null | undefined;
const written = (value: Maybe, format: (value: number) => string): string =>
  value === null || value === undefined || Number.isNaN(value) ? NOTHING : format(value);

export const count = (value: Maybe): string => written(value, (one) => counts.format(one));
/** Percent, two decimals: `4.42 %`; all and nothing are `100 %` and `0 %`. */
export const percent = (value: Maybe): string =>
  written(value, (one) => `${(one === 0 || one === 100 ? counts : twoDecimals).format(one)} %`);
export const volts = (value: Maybe): string => written(value, (one) => `${oneDecimal.format(one)} V`);
/** kWh: three decimals for a single meter, fewer where there are thousands. */
export const kwh = (value: Maybe): string =>
  written(value, (one) => {
    const size = Math.abs(one);
    const format = size >= 1_000 ? counts : size >= 10 ? oneDecimal : threeDecimals;
    return `${format.format(one)} kWh`;
  });

/** `1 meter`, `25,000 meters`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${counts.format(value)} ${value === 1 ? one : many}`;
}

/** Seconds in the two largest units that say something: `45 s`, `12 min`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const [hours, restMinutes] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 24) return restMinutes === 0 ? `${hours} h` : `${hours} h ${restMinutes} min`;
  const [days, restHours] = [Math.floor(hours / 24), hours % 24];
  return restHours === 0 ? `${days} d` : `${days} d ${restHours} h`;
}

/** `28 Nov, 14:30` in a zone; with the year where it is not that of `now`. */
export function dateTime(at: number, now: number, timeZone?: string): string {
  return `${date(at, now, timeZone)}, ${time(at, timeZone)}`;
}

/** `14:30`. */
export function time(at: number, timeZone?: string): string {
  return formats(timeZone).time.format(at);
}

/** `28 Nov`, or `28 Nov 2025` where the year is another than that of `now`. */
export function date(at: number, now: number, timeZone?: string): string {
  const { year, day, dayOfYear } = formats(timeZone);
  return (year.format(at) === year.format(now) ? day : dayOfYear).format(at);
}

const dayAndMonth = { day: 'numeric', month: 'short' } as const;
/** By zone: to make one takes longer than to write thirty times with it, and an overview made 300. */
const made = new Map<string | undefined, ReturnType<typeof makeFormats>>();

function formats(timeZone: string | undefined): ReturnType<typeof makeFormats> {
  const found = made.get(timeZone) ?? makeFormats(timeZone);
  made.set(timeZone, found);
  return found;
}

function makeFormats(timeZone: string | undefined) {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(LOCALE, { ...options, timeZone });
  return {
    time: format({ hour: '2-digit', minute: '2-digit' }),
    year: format({ year: 'numeric' }),
    day: format(dayAndMonth),
    dayOfYear: format({ ...dayAndMonth, year: 'numeric' }),
  };
}

/** An interval by start and end: `14:30–14:45` today, else with its date. */
export function interval(start: number, end: number, now: number, timeZone?: string): string {
  const hours = `${time(start, timeZone)}–${time(end, timeZone)}`;
  const day = date(start, now, timeZone);
  return day === date(now, now, timeZone) ? hours : `${day}, ${hours}`;
}

/** What a time shows on hover: `2026-11-28 14:30 UTC`. */
export function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `just now`, `3 min ago`, `in 12 min`. */
export function relative(at: number, now: number): string {
  const seconds = (now - at) / 1_000;
  if (Math.abs(seconds) < 5) return 'just now';
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** The reader's zone, as a name to stand beside times. */
export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The columns of the CSV files that GridLens writes. They say all that their reader needs, so nobody has to be asked. */

export const LONG_COLUMNS = [
  'meter_id',
  'feeder_id',
  'interval_start',
  'interval_minutes',
  'kwh',
  'received_kwh',
  'delivered_kwh',
  'voltage',
  'quality',
  'quality_method',
  'flags',
  'written_at',
  'revised_at',
] as const;

/** Columns before those of the intervals. */
export const WIDE_COLUMNS = [
  'meter_id',
  'date',
  'time_zone',
  'channel',
  'unit',
  'interval_minutes',
  'quality',
  'quality_method',
] as const;

/** A column of a wide file: the clock's time at the start, and which pass where the clocks show it twice. */
export interface OwnInterval {
  /** Minutes since midnight by the clock. */
  at: number;
  isSecondPass: boolean;
}

/** `01:15`, and `01:15 (2)` of the second pass. */
export function intervalName({ at, isSecondPass }: OwnInterval): string {
  const clock = `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
  return isSecondPass ? `${clock} (2)` : clock;
}

const INTERVAL = /^(\d{2}):([0-5]\d)( \(2\))?$/;

export function intervalNamed(name: string): OwnInterval | undefined {
  const found = INTERVAL.exec(name);
  if (found === null) return undefined;
  return { at: Number(found[1]) * 60 + Number(found[2]), isSecondPass: found[3] !== undefined };
}

/** Which of the two layouts a header is; undefined of anybody else's. */
export function ownLayout(header: readonly string[]): 'long' | 'wide' | undefined {
  if (header.length === LONG_COLUMNS.length && LONG_COLUMNS.every((name, index) => header[index] === name))
    return 'long';
  const intervals = header.slice(WIDE_COLUMNS.length);
  const isWide =
    WIDE_COLUMNS.every((name, index) => header[index] === name) &&
    intervals.length > 0 &&
    intervals.every((name) => intervalNamed(name) !== undefined);
  return isWide ? 'wide' : undefined;
}

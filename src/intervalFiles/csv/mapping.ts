import { z } from 'zod';
import { powerToKwh } from '../decimal.js';
import { DATE_ORDERS } from '../time/clockTexts.js';
import { LocalZone } from '../time/localZone.js';

const columnName = z.string().min(1, 'must name a column of the header');
const channel = z.enum(
  ['kwh', 'receivedKwh'],
  'must be "kwh" (from the grid) or "receivedKwh" (into the grid)',
);
const unit = z
  .string()
  .refine((name) => powerToKwh(name) !== undefined, 'must be a unit of energy: Wh, kWh, MWh or GWh');

/**
 * What a CSV file means: what its text does not say by itself, and what would move energy to another hour or channel if it
 * were guessed.
 */
export const csvMapping = z.strictObject({
  /** long: a row for each meter and interval. wide: a row for each meter and day, with a column for each interval. */
  layout: z.enum(['long', 'wide'], 'must be "long" or "wide"'),
  delimiter: z.enum([',', ';', '\t', '|'], 'must be a comma, a semicolon, a tab or |'),
  decimalMark: z.enum(['.', ','], 'must be "." or ","'),
  meterColumn: columnName,
  /** The column that names the feeder of a row's meter: a meter that is taken into the registry is put on it. */
  feederColumn: columnName.optional(),
  /** Date and time in one column; else they are in `dateColumn` and `timeColumn`. A wide file has a date alone. */
  timestampColumn: columnName.optional(),
  dateColumn: columnName.optional(),
  timeColumn: columnName.optional(),
  dateOrder: z.enum(DATE_ORDERS, 'must be "ymd", "mdy" or "dmy"'),
  /** Whose clock the stamps are read from: an IANA zone, `UTC`, an offset such as `+10:00`; `stamps` where each has its offset. */
  zone: z.string().refine(isZone, 'must be a time zone such as America/New_York, UTC, +10:00, or "stamps"'),
  /**
   * Which end of its interval a stamp names. `end` is the clock's time of the start plus the length, `endByClock` what the
   * clock shows at the end: they differ where the clocks change, since only the second jumps along.
   */
  stamp: z.enum(['start', 'end', 'endByClock'], 'must be "start", "end" or "endByClock"'),
  /**
   * How the file tells the hour that the clocks show twice. inOrder: each time comes twice, the earlier pass first. sum: one
   * value holds both passes. refuse: it does not, and such a value is refused.
   */
  repeatedHour: z.enum(['inOrder', 'sum', 'refuse'], 'must be "inOrder", "sum" or "refuse"'),
  minutes: z.int('must be whole minutes').min(1, 'must be at least 1').max(1_440, 'must be at most 1440'),
  /** long: the columns of energy. */
  values: z
    .array(z.strictObject({ column: columnName, channel, unit }))
    .min(1, 'must name a column')
    .optional(),
  /** wide: what all of its columns of intervals are, where no column says it. */
  channel: channel.optional(),
  unit: unit.optional(),
  /** The column that says of each row which channel it is, and what its texts mean; rows with other texts are left. */
  channelColumn: columnName.optional(),
  channels: z.record(z.string(), channel).optional(),
  /** The column that says whether a value is estimated, and what it then says. */
  estimatedColumn: columnName.optional(),
  estimatedTexts: z.array(z.string()).optional(),
  /** What that column says of a value that is measured; any other text is refused. */
  measuredTexts: z.array(z.string()).optional(),
  /** wide: whether numbered columns count the clock's time or the time that has passed since midnight. */
  numbered: z.enum(['clock', 'elapsed'], 'must be "clock" or "elapsed"').optional(),
  /**
   * The file is an export of GridLens, which says in each row what the fields above say of a whole file: they are not looked
   * at then.
   */
  dialect: z.literal('gridlens', 'must be "gridlens"').optional(),
});
export type CsvMapping = z.infer<typeof csvMapping>;

export const STAMPS_HAVE_OFFSETS = 'stamps';

function isZone(name: string): boolean {
  if (name === STAMPS_HAVE_OFFSETS) return true;
  try {
    return new LocalZone(name).name !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

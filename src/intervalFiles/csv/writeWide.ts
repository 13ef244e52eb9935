import {
  dropAllButEnergy,
  energiesOf,
  type FileWriter,
  type OutgoingRead,
  type OutgoingValue,
  onePerStart,
  Tally,
  usualMinutes,
} from '../outgoing.js';
import { dayOf } from '../time/clockTexts.js';
import type { LocalZone } from '../time/localZone.js';
import { textCell } from './cells.js';
import { intervalName, type OwnInterval, WIDE_COLUMNS } from './ownColumns.js';

const MINUTES_PER_DAY = 1_440;
const MS_PER_MINUTE = 60_000;
const US_PER_MINUTE = MS_PER_MINUTE * 1_000;
/** Where there is no read to tell it by. */
const USUAL_MINUTES = 15;

/**
 * A row for each meter, local day, direction and quality, with a column for each interval of the clock. The hour that the
 * clocks show twice has its columns twice, the second ones named `01:15 (2)`. One file has one interval length: the one
 * that most reads of the first meters have.
 *
 * @param days local days that the file is for, as clock's ms of their midnights.
 */
export function wideWriter(zone: LocalZone, days: readonly number[]): FileWriter {
  const tally = new Tally();
  let columns: Columns | undefined;
  const header = (reads: readonly OutgoingRead[]): string => {
    columns = columnsFor(reads, zone, days);
    return `${[...WIDE_COLUMNS, ...columns.intervals.map(intervalName)].join(',')}\n`;
  };
  return {
    tally,
    begin: () => '',
    take(meters) {
      if (meters.length === 0) return '';
      const head = columns === undefined ? header(meters.flat()) : '';
      return head + meters.map((reads) => rowsOf(reads, columns as Columns, zone, tally)).join('');
    },
    end: () => (columns === undefined ? header([]) : ''),
  };
}

interface Columns {
  minutes: number;
  intervals: OwnInterval[];
  /** Of an interval, by minute since midnight and pass. */
  placeOf: Map<string, number>;
}

const keyOf = ({ at, isSecondPass }: OwnInterval): string => `${at} ${isSecondPass}`;

function columnsFor(reads: readonly OutgoingRead[], zone: LocalZone, days: readonly number[]): Columns {
  const minutes = usualMinutes(reads.filter(({ minutes: length }) => MINUTES_PER_DAY % length === 0));
  const length = minutes ?? USUAL_MINUTES;
  const first = phaseOf(
    reads.filter((read) => read.minutes === minutes),
    length,
    zone,
  );
  const clock = Array.from({ length: MINUTES_PER_DAY / length }, (_, place) => first + place * length);
  const isTwice = (at: number): boolean =>
    days.some((day) => zone.instantsOf(day + at * MS_PER_MINUTE).length > 1);
  const intervals = clock.flatMap((at) => [
    { at, isSecondPass: false },
    ...(isTwice(at) ? [{ at, isSecondPass: true }] : []),
  ]);
  return {
    minutes: length,
    intervals,
    placeOf: new Map(intervals.map((one, place) => [keyOf(one), place])),
  };
}

/** How many minutes after midnight the first interval begins: hours of UTC begin at half past in India. */
function phaseOf(reads: readonly OutgoingRead[], minutes: number, zone: LocalZone): number {
  const phases = reads
    .filter(({ startUs }) => startUs % US_PER_MINUTE === 0)
    .map(({ startUs }) => ({ minutes: (zone.localOf(startUs / 1_000) / MS_PER_MINUTE) % minutes }))
    .filter(({ minutes: phase }) => Number.isInteger(phase));
  return usualMinutes(phases) ?? 0;
}

function rowsOf(reads: readonly OutgoingRead[], columns: Columns, zone: LocalZone, tally: Tally): string {
  const values = energiesOf(reads, tally);
  const fitting = values.filter(({ read }) => read.minutes === columns.minutes);
  tally.leave('otherLength', values.length - fitting.length);
  const rows = new Map<string, string[]>();
  for (const channel of ['kwh', 'receivedKwh'] as const) {
    const ofChannel = onePerStart(
      fitting.filter((value) => value.channel === channel),
      tally,
    );
    for (const value of ofChannel) place(value, rows, columns, zone, tally);
  }
  return [...rows].map(([head, cells]) => `${head},${cells.join(',')}\n`).join('');
}

function place(
  value: OutgoingValue,
  rows: Map<string, string[]>,
  { minutes, intervals, placeOf }: Columns,
  zone: LocalZone,
  tally: Tally,
): void {
  const { read, channel, kwh } = value;
  const local = read.startUs % US_PER_MINUTE === 0 ? zone.localOf(read.startUs / 1_000) : Number.NaN;
  const day = dayStart(local);
  const isSecondPass = zone.instantsOf(local || 0)[1] === read.startUs / 1_000;
  const at = placeOf.get(keyOf({ at: (local - day) / MS_PER_MINUTE, isSecondPass }));
  if (at === undefined) return void tally.leave('offGrid');
  const { kind, method = '' } = read.quality;
  const head = [
    ...[
      textCell(read.meterId),
      dayOf(day),
      textCell(zone.name),
      channel,
      'kWh',
      minutes,
      kind,
      textCell(method),
    ],
  ].join(',');
  const cells = rows.get(head) ?? Array.from<string>({ length: intervals.length }).fill('');
  rows.set(head, cells);
  cells[at] = kwh;
  tally.write(channel, kwh);
  dropAllButEnergy(value, tally);
}

const dayStart = (local: number): number =>
  Math.floor(local / (MINUTES_PER_DAY * MS_PER_MINUTE)) * MINUTES_PER_DAY * MS_PER_MINUTE;

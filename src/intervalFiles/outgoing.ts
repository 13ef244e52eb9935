import { digitsOf, ExactSum, plainDecimal } from './decimal.js';
import type { EnergyChannel } from './intervalFiles.js';
import type { ReadQuality } from './quality.js';

/** A read as the table has it, on its way into a file. Numbers are texts: no digit of the table is lost. */
export interface OutgoingRead {
  meterId: string;
  feederId: string;
  /** Start of the interval, whole microseconds since 1970 UTC: what Postgres keeps. */
  startUs: number;
  minutes: number;
  /** kWh from the grid, as the column's text: `0.125`, `1e-07`, `NaN`; null where the table has none. */
  kwh: string | null;
  /** kWh into the grid. */
  receivedKwh: string | null;
  /** kWh that the utility's side measured. */
  deliveredKwh: string | null;
  /** V. */
  voltage: string | null;
  flags: readonly string[];
  quality: ReadQuality;
  /** When the row was written, and last revised, microseconds; null where the table does not say. */
  writtenUs: number | null;
  revisedUs: number | null;
}

/** Why a value is in none of the file's intervals. */
export const REASONS_LEFT = {
  noEnergy: 'without energy: the table has none, or one that is no number',
  negative: 'negative, which the format does not have',
  digits: 'with more digits than the format or our reader takes',
  offGrid: 'begin where the format has no interval',
  otherLength: 'of another interval length than the file or the day has',
  repeated: 'several of one meter and start, of which the format has one',
  incompleteDay: 'of days that lack intervals, which the format has only whole',
  name: 'of meters whose names the format cannot write',
  quality: 'of a quality that the format cannot say',
  unknown: 'changed since the instant that was asked for, with no former value kept',
} as const;
export type ReasonLeft = keyof typeof REASONS_LEFT;

/** What a file leaves out of the reads that it has. */
export const NOT_CARRIED = {
  feederId: 'feeders',
  deliveredKwh: 'delivered energies',
  voltage: 'voltages',
  flags: 'reads’ quality flags',
  revision: 'times of revision',
  quality: 'qualities, which are written as the nearest that the format has',
} as const;
export type NotCarried = keyof typeof NOT_CARRIED;

/** What became of the reads of a file. */
export class Tally {
  /** Values written: a read with energy in both directions has two. */
  reads = 0;
  readonly kwh = new ExactSum();
  readonly receivedKwh = new ExactSum();
  readonly #left = new Map<ReasonLeft, number>();
  readonly #notCarried = new Map<NotCarried, number>();

  write(channel: EnergyChannel, kwh: string): void {
    this.reads += 1;
    this[channel].add(kwh);
  }

  leave(reason: ReasonLeft, values = 1): void {
    if (values > 0) this.#left.set(reason, (this.#left.get(reason) ?? 0) + values);
  }

  drop(what: NotCarried): void {
    this.#notCarried.set(what, (this.#notCarried.get(what) ?? 0) + 1);
  }

  counts(): FileCounts {
    return {
      reads: this.reads,
      kwh: this.kwh.toString(),
      receivedKwh: this.receivedKwh.toString(),
      left: Object.fromEntries(this.#left),
      notCarried: Object.fromEntries(this.#notCarried),
    };
  }
}

/** The same as figures. */
export interface FileCounts {
  /** Values in the file. */
  reads: number;
  /** Their sums, exact. */
  kwh: string;
  receivedKwh: string;
  /** Values that are not in the file, by why. */
  left: Partial<Record<ReasonLeft, number>>;
  /** What the file does not say of the values that it has. */
  notCarried: Partial<Record<NotCarried, number>>;
}

/** One energy of a read. */
export interface OutgoingValue {
  read: OutgoingRead;
  channel: EnergyChannel;
  /** A plain decimal. */
  kwh: string;
}

const CHANNELS: readonly EnergyChannel[] = ['kwh', 'receivedKwh'];

/**
 * The energies of reads that a text can carry; the others are counted.
 *
 * @param takesNegative whether the format has energies below 0.
 */
export function energiesOf(
  reads: readonly OutgoingRead[],
  tally: Tally,
  takesNegative = false,
): OutgoingValue[] {
  const values: OutgoingValue[] = [];
  for (const read of reads) {
    if (read.kwh === null && read.receivedKwh === null) tally.leave('noEnergy');
    for (const channel of CHANNELS) {
      const text = read[channel];
      if (text === null) continue;
      const kwh = plainDecimal(text);
      if (kwh === undefined) tally.leave('noEnergy');
      else if (digitsOf(kwh) > MOST_DIGITS_READ) tally.leave('digits');
      else if (kwh.startsWith('-') && !takesNegative) tally.leave('negative');
      else values.push({ read, channel, kwh });
    }
  }
  return values;
}

/** Of a value that our own readers take (`shifted`). */
const MOST_DIGITS_READ = 30;

/**
 * Counts what a format that has energies alone does not say of a value.
 *
 * @param saysRevision whether it says when the day was last revised.
 */
export function dropAllButEnergy({ read }: OutgoingValue, tally: Tally, saysRevision = false): void {
  tally.drop('feederId');
  if (read.deliveredKwh !== null) tally.drop('deliveredKwh');
  if (read.voltage !== null) tally.drop('voltage');
  if (read.flags.length > 0) tally.drop('flags');
  if (!saysRevision && isRevised(read)) tally.drop('revision');
}

export function isRevised({ writtenUs, revisedUs }: OutgoingRead): boolean {
  return revisedUs !== null && (writtenUs === null || revisedUs > writtenUs);
}

/** Values by start, of those of which a format has one: all that share a start are counted and left, since none is the true one. */
export function onePerStart(values: readonly OutgoingValue[], tally: Tally): OutgoingValue[] {
  const counts = new Map<number, number>();
  for (const { read } of values) counts.set(read.startUs, (counts.get(read.startUs) ?? 0) + 1);
  const single = values.filter(({ read }) => counts.get(read.startUs) === 1);
  tally.leave('repeated', values.length - single.length);
  return single;
}

/** The length that most of the reads have; of several the shortest; undefined of none. */
export function usualMinutes(reads: readonly Pick<OutgoingRead, 'minutes'>[]): number | undefined {
  const counts = new Map<number, number>();
  for (const { minutes } of reads) counts.set(minutes, (counts.get(minutes) ?? 0) + 1);
  return [...counts].toSorted((one, other) => other[1] - one[1] || one[0] - other[0])[0]?.[0];
}

/** A part of a file. */
export type Piece = string | Uint8Array;

/** Writes one file, piece by piece. */
export interface FileWriter {
  readonly tally: Tally;
  begin(): Piece;
  /** @param meters each with all of its reads of the file, by start. */
  take(meters: readonly (readonly OutgoingRead[])[]): Piece;
  end(): Piece;
}

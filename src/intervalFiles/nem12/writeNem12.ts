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
import { nem12Flag, type QualityFlagOut } from '../quality.js';
import { LENGTHS, MINUTES_PER_DAY, NEM_TIME_MS } from './records.js';

const US_PER_MINUTE = 60_000_000;
const NEM_TIME_US = NEM_TIME_MS * 1_000;
const DAY_US = MINUTES_PER_DAY * US_PER_MINUTE;
/** As the market sees it: what the customer took, and what came back. */
const SUFFIXES = { kwh: 'E1', receivedKwh: 'B1' } as const;
/** A field cannot be put in quotes, and a comma ends it. */
const NAME = /^(?![\s,])[^,"\p{C}\p{Zl}\p{Zp}]+(?<!\s)$/u;
/** Neither of the two ends of a file of ours is a market participant. */
const PARTICIPANT = 'GRIDLENS';

/**
 * NEM12 (AEMO, Meter Data File Format 2.6): a 300 record for each meter, direction and day of NEM time (UTC+10), of 5, 15
 * or 30 minutes. A day has all of its intervals or none, since the format has no way to say that one is missing.
 *
 * @param now when the file is made, ms.
 */
export function nem12Writer(now: number): FileWriter {
  const tally = new Tally();
  return {
    tally,
    begin: () => `100,NEM12,${stamp(now * 1_000).slice(0, 12)},${PARTICIPANT},${PARTICIPANT}\r\n`,
    take: (meters) => meters.map((reads) => recordsOf(reads, tally)).join(''),
    end: () => '900\r\n',
  };
}

/** `20260131101500` in NEM time. */
function stamp(us: number): string {
  return new Date((us + NEM_TIME_US) / 1_000).toISOString().slice(0, 19).replaceAll(/\D/g, '');
}

function recordsOf(reads: readonly OutgoingRead[], tally: Tally): string {
  const all = energiesOf(reads, tally);
  const meterId = reads[0]?.meterId ?? '';
  if (!NAME.test(meterId)) {
    tally.leave('name', all.length);
    return '';
  }
  const values = all.filter(({ read }) => LENGTHS.has(read.minutes));
  tally.leave('otherLength', all.length - values.length);
  const channels = (['kwh', 'receivedKwh'] as const).filter((channel) =>
    values.some((value) => value.channel === channel),
  );
  const suffixes = channels.map((channel) => SUFFIXES[channel]).join('');
  return channels
    .map((channel) => {
      const days = daysOf(
        onePerStart(
          values.filter((value) => value.channel === channel),
          tally,
        ),
      );
      return registersOf(days, tally)
        .map(([minutes, records]) => {
          const suffix = SUFFIXES[channel];
          return `200,${meterId},${suffixes},${suffix},${suffix},,,kWh,${minutes},\r\n${records}`;
        })
        .join('');
    })
    .join('');
}

/** Values by the NEM day of their start. */
function daysOf(values: readonly OutgoingValue[]): Map<number, OutgoingValue[]> {
  const days = new Map<number, OutgoingValue[]>();
  for (const value of values) {
    const day = Math.floor((value.read.startUs + NEM_TIME_US) / DAY_US);
    const known = days.get(day);
    if (known === undefined) days.set(day, [value]);
    else known.push(value);
  }
  return days;
}

/** The days' records by their interval length: a 200 record has one. */
function registersOf(days: Map<number, OutgoingValue[]>, tally: Tally): [number, string][] {
  const records = new Map<number, string>();
  for (const [day, values] of days) {
    const minutes = usualMinutes(values.map(({ read }) => read)) as number;
    const ofLength = values.filter(({ read }) => read.minutes === minutes);
    tally.leave('otherLength', values.length - ofLength.length);
    const record = dayRecord(day, minutes, ofLength, tally);
    if (record !== '') records.set(minutes, (records.get(minutes) ?? '') + record);
  }
  return [...records];
}

function dayRecord(day: number, minutes: number, values: readonly OutgoingValue[], tally: Tally): string {
  const startUs = day * DAY_US - NEM_TIME_US;
  const slots = new Map<number, OutgoingValue>();
  for (const value of values) slots.set((value.read.startUs - startUs) / (minutes * US_PER_MINUTE), value);
  const count = MINUTES_PER_DAY / minutes;
  const inOrder = Array.from({ length: count }, (_, slot) => slots.get(slot));
  const onGrid = inOrder.filter((value) => value !== undefined);
  tally.leave('offGrid', values.length - onGrid.length);
  if (onGrid.length < count) {
    tally.leave('incompleteDay', onGrid.length);
    return '';
  }
  const flags = onGrid.map(({ read }) => nem12Flag(read.quality));
  const said = flags.filter((flag) => flag !== undefined);
  if (said.length < count) {
    tally.leave('quality', count);
    return '';
  }
  for (const [slot, value] of onGrid.entries()) {
    tally.write(value.channel, value.kwh);
    dropAllButEnergy(value, tally, true);
    if (!(said[slot] as QualityFlagOut).isExact) tally.drop('quality');
  }
  const revised = Math.max(...onGrid.map(({ read }) => read.revisedUs ?? read.writtenUs ?? read.startUs));
  const date = stamp(startUs).slice(0, 8);
  const cells = onGrid.map(({ kwh }) => kwh).join(',');
  return `300,${date},${cells},${qualityRecords(said, stamp(revised))}`;
}

/** The quality of the day, the reason that a substitute needs, when it was last changed; and 400 records where it changes within. */
function qualityRecords(flags: readonly QualityFlagOut[], revised: string): string {
  const runs: { from: number; to: number; flag: string }[] = [];
  for (const [index, { flag }] of flags.entries()) {
    const last = runs.at(-1);
    if (last?.flag === flag) last.to = index + 1;
    else runs.push({ from: index + 1, to: index + 1, flag });
  }
  const [first] = runs;
  if (first !== undefined && runs.length === 1)
    return `${first.flag},${reasonOf(first.flag)},${revised},\r\n`;
  const events = runs.map(({ from, to, flag }) => `400,${from},${to},${flag},${reasonOf(flag)}\r\n`);
  return `V,,,${revised},\r\n${events.join('')}`;
}

/** Reason code and description. 0 is free text. */
function reasonOf(flag: string): string {
  return /^[SF]/.test(flag) ? '0,As imported' : ',';
}

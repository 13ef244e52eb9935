import { plainDecimal } from '../decimal.js';
import { energiesOf, type FileWriter, type OutgoingRead, Tally } from '../outgoing.js';
import { instantCell, textCell } from './cells.js';
import { LONG_COLUMNS } from './ownColumns.js';

/** A row for each read, with all that the table says of it. Instants are in UTC. */
export function longWriter(): FileWriter {
  const tally = new Tally();
  return {
    tally,
    begin: () => `${LONG_COLUMNS.join(',')}\n`,
    take: (meters) => meters.map((reads) => rowsOf(reads, tally)).join(''),
    end: () => '',
  };
}

function rowsOf(reads: readonly OutgoingRead[], tally: Tally): string {
  let rows = '';
  for (const read of reads) {
    const values = energiesOf([read], tally);
    if (values.length === 0) continue;
    const energy = { kwh: '', receivedKwh: '' };
    for (const { channel, kwh } of values) {
      energy[channel] = kwh;
      tally.write(channel, kwh);
    }
    rows += `${rowOf(read, energy)}\n`;
  }
  return rows;
}

function rowOf(read: OutgoingRead, { kwh, receivedKwh }: { kwh: string; receivedKwh: string }): string {
  const { meterId, feederId, startUs, minutes, deliveredKwh, voltage, quality, flags } = read;
  return [
    textCell(meterId),
    textCell(feederId),
    instantCell(startUs),
    minutes,
    kwh,
    receivedKwh,
    numberCell(deliveredKwh),
    numberCell(voltage),
    quality.kind,
    textCell(quality.method ?? ''),
    flags.length === 0 ? '' : textCell(flagsText(flags)),
    read.writtenUs === null ? '' : instantCell(read.writtenUs),
    read.revisedUs === null ? '' : instantCell(read.revisedUs),
  ].join(',');
}

/** What is no number, such as NaN, is written as the table has it: nothing of it is read again. */
function numberCell(text: string | null): string {
  return text === null ? '' : (plainDecimal(text) ?? textCell(text));
}

const PLAIN_FLAG = /^[\w.-]+$/;

/** `LOW_VOLTAGE SUSPICIOUS`; a JSON array where a flag of the table is no single word. */
export function flagsText(flags: readonly string[]): string {
  return flags.every((flag) => PLAIN_FLAG.test(flag)) ? flags.join(' ') : JSON.stringify(flags);
}

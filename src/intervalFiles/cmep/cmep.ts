import { powerToKwh, shifted } from '../decimal.js';
import { emptyBatch, type FileBatch, type FileText, leave, UnreadableFileError } from '../intervalFiles.js';
import { linesOf } from '../lines.js';
import { RAW, type ReadQuality, VALIDATED } from '../quality.js';
import { shownLocal } from '../time/clockTexts.js';
import { LocalZone } from '../time/localZone.js';

const RECORD = 'MEPMD01';
/** The fields before the values: type, version, parties, stamp, meter, purpose, commodity, units, constant, interval, count. */
const FIELDS = 14;
const ELECTRICITY = 'E';

/**
 * Reads CMEP (California Metering Exchange Protocol), the interval records MEPMD01: a line for each meter and run of
 * intervals. Stamps are the ends of intervals on the sender's clock, which the file does not name.
 *
 * @param zone whose clock that is: an IANA zone, `UTC`, or an offset such as `-08:00`.
 * @yields what each piece of the text says.
 * @throws UnreadableFileError for a line that is no record of CMEP.
 */
export async function* readCmep(text: FileText, zone: string): AsyncGenerator<FileBatch> {
  const clock = new LocalZone(zone);
  for await (const lines of linesOf(text)) {
    const batch = emptyBatch();
    for (const { text: line, number, isUnended } of lines) {
      if (line.trim() === '') continue;
      const fields = line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
      if (!/^ME[A-Z]{3}\d{2}$/.test(fields[0] as string))
        throw new UnreadableFileError(
          number,
          `the line begins with ${fields[0]?.slice(0, 20)}: a record of CMEP begins with its type, as ${RECORD}`,
        );
      if (fields[0] === RECORD) addRecord(batch, fields, number, clock, isUnended === true);
      else leave(batch, `record ${fields[0]}`, 1);
    }
    yield batch;
  }
}

interface CmepHead {
  meterId: string;
  power: number;
  lengthMs: number;
  count: number;
}

function addRecord(
  batch: FileBatch,
  fields: readonly string[],
  line: number,
  clock: LocalZone,
  isUnended: boolean,
): void {
  const meterId = fields[7] ?? '';
  const refuse = (reason: string): void =>
    void batch.refusals.push({ line, reason, ...(meterId === '' ? {} : { meterId }) });
  const commodity = fields[9] ?? '';
  const units = fields[10] ?? '';
  const power = powerToKwh(units);
  // KWHREG is the register's stand, KVARH no energy; other units and commodities are other things.
  if (commodity !== ELECTRICITY || power === undefined)
    return void leave(
      batch,
      `${units || 'no unit'} (commodity ${commodity || 'none'})`,
      Number(fields[13]) || 1,
    );
  const head = headOf(fields, power);
  if (typeof head === 'string') return void refuse(head);
  const values = fields.slice(FIELDS);
  if (values.length !== 3 * head.count)
    return void refuse(
      `the record announces ${head.count} values, and ${values.length} fields follow: three belong to each`,
    );
  if (isUnended)
    return void refuse(
      'the file ends within this record, which may have been cut off: end it with a line end',
    );
  addValues(batch, head, values, line, clock, refuse);
}

function headOf(fields: readonly string[], power: number): CmepHead | string {
  const meterId = fields[7] ?? '';
  const constant = fields[11] ?? '';
  const count = Number(fields[13]);
  const lengthMs = lengthOf(fields[12] ?? '');
  if (meterId === '') return 'the meter is empty';
  if (constant !== '' && Number(constant) !== 1)
    return `the calculation constant is ${constant}: values that are still to be multiplied are not read`;
  if (lengthMs === undefined)
    return `the interval is ${fields[12] || 'empty'}: it must be MMDDHHMM of whole minutes up to a day, as 00000015`;
  if (!Number.isInteger(count) || count < 1)
    return `the count is ${fields[13] || 'empty'}: it must be a whole number from 1 up`;
  return { meterId, power, lengthMs, count };
}

/** MMDDHHMM: `00000015` is a quarter hour. */
function lengthOf(text: string): number | undefined {
  const found = /^0000(\d{2})([0-5]\d)$/.exec(text);
  if (text === '00010000') return 86_400_000;
  const minutes = found === null ? 0 : Number(found[1]) * 60 + Number(found[2]);
  return minutes > 0 && minutes <= 1_440 ? minutes * 60_000 : undefined;
}

/**
 * A stamp that follows from the one before it is that instant, so that the repeated hour needs no guess. Any other must
 * be shown once by the clock, and be later.
 */
function addValues(
  batch: FileBatch,
  { meterId, power, lengthMs, count }: CmepHead,
  values: readonly string[],
  line: number,
  clock: LocalZone,
  refuse: (reason: string) => void,
): void {
  let end: number | undefined;
  for (let index = 0; index < count; index += 1) {
    const [stamp = '', code = '', value = ''] = values.slice(3 * index, 3 * index + 3);
    const next: number | string = endAt(stamp, end === undefined ? undefined : end + lengthMs, clock);
    if (typeof next === 'string') return void refuse(`value ${index + 1} and those after it: ${next}`);
    end = next;
    const quality = qualityOf(code);
    if (quality === null) {
      leave(batch, 'no entry (code N)', 1);
      continue;
    }
    const kwh = shifted(value, power);
    if (quality === undefined)
      refuse(`value ${index + 1} has the code ${code}: it must be empty or E, A, N or R, with a number`);
    else if (kwh === undefined || kwh.startsWith('-'))
      refuse(`value ${index + 1} is ${value || 'empty'}: it must be a number from 0 up`);
    else
      batch.reads.push({
        meterId,
        channel: 'kwh',
        startMs: end - lengthMs,
        minutes: lengthMs / 60_000,
        kwh,
        quality,
        line,
      });
  }
}

function endAt(stamp: string, expected: number | undefined, clock: LocalZone): number | string {
  if (stamp === '') return expected ?? 'the first value has no time';
  const local = localOf(stamp);
  if (local === undefined) return `the time is ${stamp}: it must be YYYYMMDDHHMM`;
  if (expected !== undefined && clock.localOf(expected) === local) return expected;
  const [instant, other] = clock.instantsOf(local);
  if (instant === undefined) return `the clocks of ${clock.name} skip ${shownLocal(local)}`;
  if (other !== undefined)
    return `the clocks of ${clock.name} show ${shownLocal(local)} twice, and no value before it tells which`;
  if (expected !== undefined && instant < expected) return `the time ${stamp} is not after the one before it`;
  return instant;
}

function localOf(stamp: string): number | undefined {
  const found = /^(\d{4})(\d{2})(\d{2})(\d{2})([0-5]\d)$/.exec(stamp);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1).map(Number);
  const midnight = Date.UTC(year, month - 1, day);
  const isDay = new Date(midnight).getUTCMonth() === month - 1 && new Date(midnight).getUTCDate() === day;
  return isDay && hour * 60 + minute <= 1_440 ? midnight + (hour * 60 + minute) * 60_000 : undefined;
}

/** Some senders append a bit mask; a bit that is set is a doubt, whatever it stands for. */
function qualityOf(code: string): ReadQuality | null | undefined {
  const found = /^([EANR]?)(\d*)$/.exec(code.toUpperCase());
  if (found === null) return undefined;
  const [, letter = '', mask = ''] = found;
  if (letter === 'N') return null;
  if (letter === 'E') return { kind: 'estimated', method: code };
  if (letter === 'A') return { kind: 'edited', method: code };
  if (Number(mask) !== 0) return { kind: 'questionable', method: code };
  return letter === 'R' ? RAW : VALIDATED;
}

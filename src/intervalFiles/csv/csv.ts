import { powerToKwh } from '../decimal.js';
import {
  type EnergyChannel,
  emptyBatch,
  type FileBatch,
  type FileText,
  leave,
  UnreadableFileError,
} from '../intervalFiles.js';
import { RAW, type ReadQuality } from '../quality.js';
import { parseDate, parseStamp, parseTime, type Stamp } from '../time/clockTexts.js';
import { type CsvColumns, findColumns, isHeader, namedColumns } from './columns.js';
import type { CsvMapping } from './mapping.js';
import { Placement } from './placement.js';
import { readOwnCsv } from './readOwn.js';
import { type CsvRow, energyOf } from './row.js';
import { RowScanner } from './rowScanner.js';
import { idIn, isCut, kept } from './rowTexts.js';
import { wideRow } from './wide.js';

/** Lines before the header: a portal's name and address. */
const MOST_LINES_BEFORE_HEADER = 50;
const ESTIMATED: ReadQuality = { kind: 'estimated', method: 'file' };

/**
 * Reads CSV as its mapping says, long or wide.
 *
 * @yields what each piece of the text says.
 * @throws UnreadableFileError where the columns of the mapping are not there, or the clock's times are not as it says.
 */
export async function* readCsv(text: FileText, mapping: CsvMapping): AsyncGenerator<FileBatch> {
  if (mapping.dialect !== undefined) return yield* readOwnCsv(text, mapping.feederColumn);
  const reader = new CsvReader(mapping);
  const scanner = new RowScanner(mapping.delimiter, (fields, line, isUnended) =>
    reader.take(fields, line, isUnended),
  );
  for await (const piece of text) {
    scanner.write(piece);
    yield reader.give();
  }
  scanner.end();
  reader.end();
  yield reader.give();
}

class CsvReader {
  #batch = emptyBatch();
  #columns: CsvColumns | undefined;
  #header: readonly string[] = [];
  /** Lines that were read before the header, with their numbers of fields; undefined of one whose quotes do not match. */
  readonly #before: { line: number; width: number | undefined }[] = [];
  /** Of the row before. */
  #lastField = '';
  #lastMeter = '';
  #lastDate: { text: string; day: number | undefined } = { text: '', day: undefined };
  readonly #placement: Placement;
  readonly #feederIds = new Map<string, string | undefined>();
  readonly #meterIds = new Map<string, string | undefined>();
  readonly #dates = new Map<string, number | undefined>();
  readonly #times = new Map<string, number | undefined>();
  readonly #qualities = new Map<string, ReadQuality>();

  constructor(private readonly mapping: CsvMapping) {
    this.#placement = new Placement(mapping);
    for (const text of mapping.measuredTexts ?? []) this.#qualities.set(text, RAW);
    for (const text of mapping.estimatedTexts ?? []) this.#qualities.set(text, ESTIMATED);
  }

  take(fields: readonly string[] | undefined, number: number, isUnended: boolean): void {
    if (this.#columns === undefined) return void this.#lookForHeader(fields, number);
    if (fields === undefined) return void this.#refuse(number, 'its quotes do not match');
    if (fields[0] === this.#header[0] && this.#header.every((name, index) => name === fields[index])) return;
    if (fields.length !== this.#header.length && !this.#isOnlyLonger(fields))
      return void this.#refuse(
        number,
        `the row has ${fields.length} fields, and the header has ${this.#header.length}`,
      );
    const last = fields[this.#header.length - 1] as string;
    if (isUnended && isCut(last.trim(), this.#lastField.trim()))
      return void this.#refuse(
        number,
        'the file ends within this row, which may have been cut off: end it with a line end',
      );
    this.#lastField = last;
    this.#row(fields, this.#columns, number);
  }

  end(): void {
    if (this.#columns === undefined)
      throw new UnreadableFileError(
        undefined,
        `no line has the columns ${namedColumns(this.mapping).join(', ')}`,
      );
    this.#placement.end(this.#batch);
  }

  give(): FileBatch {
    const given = this.#batch;
    this.#batch = emptyBatch();
    return given;
  }

  #lookForHeader(fields: readonly string[] | undefined, line: number): void {
    const names = fields?.map((name) => name.trim());
    if (names !== undefined && isHeader(names, this.mapping)) {
      this.#columns = findColumns(names, this.mapping, line);
      this.#header = names;
      for (const { line: above, width } of this.#before)
        if (width === names.length)
          this.#refuse(above, 'the row stands above the header, and has as many fields');
        else if (width === undefined)
          this.#refuse(above, 'the row stands above the header, and its quotes do not match');
      return;
    }
    this.#before.push({ line, width: names?.length });
    if (this.#before.length > MOST_LINES_BEFORE_HEADER) this.end();
  }

  /** A delimiter at the end of each row makes an empty field. */
  #isOnlyLonger(fields: readonly string[]): boolean {
    return (
      fields.length > this.#header.length && fields.slice(this.#header.length).every((field) => field === '')
    );
  }

  #row(fields: readonly string[], columns: CsvColumns, line: number): void {
    const meterText = fields[columns.meter] as string;
    const meterId =
      meterText === this.#lastMeter ? meterText : kept(this.#meterIds, meterText, () => idIn(meterText));
    if (meterId !== undefined && meterId.length === meterText.length) this.#lastMeter = meterId;
    if (meterId === undefined)
      return void this.#refuse(
        line,
        `${this.mapping.meterColumn} is ${meterText.trim() || 'empty'}: it must name a meter`,
      );
    const quality = this.#qualityOf(fields, columns);
    if (quality === undefined)
      return void this.#refuse(
        line,
        `${this.mapping.estimatedColumn} is ${fields[columns.estimated as number] || 'empty'}: it must be one of ${[...this.#qualities.keys()].join(', ')}`,
        meterId,
      );
    let channel: EnergyChannel | undefined;
    if (columns.channel !== undefined) {
      const text = (fields[columns.channel] as string).trim();
      channel = this.mapping.channels?.[text];
      if (channel === undefined) return void leave(this.#batch, `${this.mapping.channelColumn} ${text}`, 1);
    }
    const feederId =
      columns.feeder === undefined ? undefined : this.#feederOf(fields[columns.feeder] as string);
    const row: CsvRow = { line, meterId, fields, quality, channel, feederId };
    if (columns.intervals === undefined) this.#long(row, columns);
    else
      wideRow(row, columns, {
        ...{ mapping: this.mapping, placement: this.#placement, batch: this.#batch },
        day: this.#dateOf(fields[columns.date as number] as string),
        power: powerToKwh(this.mapping.unit as string) as number,
      });
  }

  #long(row: CsvRow, columns: CsvColumns): void {
    const { fields, line, meterId, quality, feederId } = row;
    const stamp = this.#stampOf(fields, columns);
    if (stamp === undefined) {
      const text = [columns.timestamp, columns.date, columns.time]
        .flatMap((index) => (index === undefined ? [] : [fields[index]]))
        .join(' ');
      return void this.#refuse(
        line,
        `${text.trim() || 'nothing'} is no date and time in the order ${this.mapping.dateOrder}`,
        meterId,
      );
    }
    const startMs = this.#placement.settledStart(stamp.local, stamp.offsetMs);
    for (const { index, name, channel: ofColumn, power } of columns.values) {
      const channel = row.channel ?? ofColumn;
      const kwh = energyOf(fields[index] as string, this.mapping.decimalMark, power);
      if (kwh === undefined)
        this.#refuse(
          line,
          `${name} is ${(fields[index] as string).trim() || 'empty'}: it must be a number from 0 up, with "${this.mapping.decimalMark}" as decimal mark`,
          meterId,
        );
      else if (startMs !== undefined)
        this.#batch.reads.push({
          meterId,
          channel,
          startMs,
          minutes: this.mapping.minutes,
          kwh,
          quality,
          line,
          feederId,
        });
      else {
        const { local, offsetMs } = stamp;
        this.#placement.place(
          { meterId, channel, kwh, quality, line, feederId, local, offsetMs },
          this.#batch,
        );
      }
    }
  }

  #stampOf(fields: readonly string[], { timestamp, date, time }: CsvColumns): Stamp | undefined {
    if (timestamp !== undefined)
      return parseStamp((fields[timestamp] as string).trim(), this.mapping.dateOrder);
    const day = this.#dateOf(fields[date as number] as string);
    const minutes = this.#timeOf(fields[time as number] as string);
    return day === undefined || minutes === undefined ? undefined : { local: day + minutes * 60_000 };
  }

  #feederOf(text: string): string | undefined {
    return kept(this.#feederIds, text, () => idIn(text));
  }

  #dateOf(text: string): number | undefined {
    if (text === this.#lastDate.text) return this.#lastDate.day;
    const day = kept(this.#dates, text, () => parseDate(text.trim(), this.mapping.dateOrder));
    this.#lastDate = { text, day };
    return day;
  }

  #timeOf(text: string): number | undefined {
    return kept(this.#times, text, () => parseTime(text.trim()));
  }

  #qualityOf(fields: readonly string[], { estimated }: CsvColumns): ReadQuality | undefined {
    return estimated === undefined ? RAW : this.#qualities.get((fields[estimated] as string).trim());
  }

  #refuse(line: number, reason: string, meterId?: string): void {
    this.#batch.refusals.push({ line, reason, ...(meterId === undefined ? {} : { meterId }) });
  }
}

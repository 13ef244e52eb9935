import { powerToKwh, shifted } from '../decimal.js';
import {
  type EnergyChannel,
  emptyBatch,
  type FileBatch,
  type FileText,
  leave,
  UnreadableFileError,
} from '../intervalFiles.js';
import { linesOf } from '../lines.js';
import { nem12Quality, type ReadQuality } from '../quality.js';
import {
  type Nem12Day,
  type Nem12Event,
  type Nem12Register,
  parseDay,
  parseEvent,
  parseRegister,
} from './records.js';

/** A day whose 400 records may still follow. */
interface OpenDay {
  day: Nem12Day;
  events: Nem12Event[];
}

/**
 * Reads NEM12, the interval file of Australia's market (AEMO, Meter Data File Format 2.6). Every day has all its intervals,
 * in NEM time (UTC+10), whatever the clocks of its state do.
 *
 * A connection point with several registers of a kind (E1 and E2) is as many meters: the second is `NMI-2`.
 *
 * @yields what each piece of the text says.
 * @throws UnreadableFileError where the file is no NEM12, or ends before its 900 record: it is then cut off.
 */
export async function* readNem12(text: FileText): AsyncGenerator<FileBatch> {
  const reader = new Nem12Reader();
  for await (const lines of linesOf(text)) {
    for (const { text: line, number } of lines) reader.take(line, number);
    yield reader.give();
  }
  reader.end();
  yield reader.give();
}

class Nem12Reader {
  #batch = emptyBatch();
  #register: Nem12Register | undefined;
  #open: OpenDay | undefined;
  #hasBegun = false;
  #hasEnded = false;

  take(line: string, number: number): void {
    if (line.trim() === '') return;
    const fields = line.split(',');
    const kind = fields[0];
    if (!this.#hasBegun && kind !== '100')
      throw new UnreadableFileError(number, 'a NEM12 file begins with a 100 record, and this one does not');
    if (this.#hasEnded)
      throw new UnreadableFileError(number, 'a record follows the 900 record, which is the last');
    if (kind !== '400') this.#settle();
    switch (kind) {
      case '100':
        if (this.#hasBegun || fields[1] !== 'NEM12')
          throw new UnreadableFileError(number, `the 100 record says ${fields[1]}: it must be one, of NEM12`);
        this.#hasBegun = true;
        return;
      case '200':
        return void this.#begin(fields, number);
      case '300':
        return void this.#day(fields, number);
      case '400':
        return void this.#event(fields, number);
      case '500':
        return;
      case '900':
        this.#hasEnded = true;
        return;
      default:
        throw new UnreadableFileError(number, `there is no record ${kind?.slice(0, 20)} in NEM12`);
    }
  }

  end(): void {
    if (!this.#hasEnded)
      throw new UnreadableFileError(undefined, 'the file ends without its 900 record: it has been cut off');
  }

  give(): FileBatch {
    const given = this.#batch;
    this.#batch = emptyBatch();
    return given;
  }

  #begin(fields: readonly string[], line: number): void {
    const register = parseRegister(fields);
    // Without it nobody knows whose values follow.
    if (typeof register === 'string') throw new UnreadableFileError(line, register);
    this.#register = register;
  }

  #day(fields: readonly string[], line: number): void {
    if (this.#register === undefined)
      throw new UnreadableFileError(
        line,
        'a 300 record stands before the first 200 record, which says whose it is',
      );
    const day = parseDay(fields, this.#register.minutes, line);
    if (typeof day === 'string') return void this.#refuse(line, day);
    this.#open = { day, events: [] };
  }

  #event(fields: readonly string[], line: number): void {
    if (this.#open === undefined) return;
    const { day, events } = this.#open;
    const event = parseEvent(fields, events.at(-1)?.to, day.values.length);
    if (typeof event !== 'string') return void events.push(event);
    this.#refuse(line, event);
    this.#open = undefined;
  }

  /** Emits the day whose records are all there. */
  #settle(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || this.#register === undefined) return;
    const { day, events } = open;
    const count = day.values.length;
    if (day.flag === 'V' && events.at(-1)?.to !== count)
      return void this.#refuse(
        day.line,
        `the quality of the day is V, and its 400 records do not tell it up to interval ${count}`,
      );
    const power = powerToKwh(this.#register.unit);
    const channel = CHANNELS[this.#register.suffix.charAt(0)];
    if (power === undefined || channel === undefined)
      return void leave(this.#batch, `${this.#register.unit} (${this.#register.suffix})`, count);
    const flags = events.length > 0 ? events : [{ from: 1, to: count, flag: day.flag }];
    for (const { from, to, flag } of flags) {
      const quality = nem12Quality(flag);
      if (quality === undefined) {
        this.#refuse(
          day.line,
          `the quality is ${flag || 'empty'}: it must be A, or E, S or F with a method, as S14`,
        );
      } else if (quality !== null) this.#values(day, { from, to, quality, power, channel });
    }
  }

  #values(
    day: Nem12Day,
    {
      from,
      to,
      quality,
      power,
      channel,
    }: {
      from: number;
      to: number;
      quality: ReadQuality;
      power: number;
      channel: EnergyChannel;
    },
  ): void {
    const { minutes } = this.#register as Nem12Register;
    const meterId = this.#meterId();
    for (let index = from - 1; index < to; index += 1) {
      const kwh = shifted(day.values[index] as string, power);
      if (kwh === undefined || kwh.startsWith('-')) {
        this.#refuse(
          day.line,
          `value ${index + 1} is ${day.values[index] || 'empty'}: it must be a number of ${this.#register?.unit} from 0 up`,
        );
        continue;
      }
      const startMs = day.startMs + index * minutes * 60_000;
      this.#batch.reads.push({ meterId, channel, startMs, minutes, kwh, quality, line: day.line });
    }
  }

  #meterId(): string {
    const { nmi, suffix } = this.#register as Nem12Register;
    return suffix.endsWith('1') ? nmi : `${nmi}-${suffix.charAt(1)}`;
  }

  #refuse(line: number, reason: string): void {
    const meterId = this.#register && this.#meterId();
    this.#batch.refusals.push({ line, reason, ...(meterId === undefined ? {} : { meterId }) });
  }
}

/** As the grid sees it, E (export) is what the customer took and B (bidirectional) what came back. */
const CHANNELS: Record<string, EnergyChannel> = { E: 'kwh', B: 'receivedKwh' };

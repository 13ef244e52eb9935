import { halved } from '../decimal.js';
import { type FileBatch, type FileRead, UnreadableFileError } from '../intervalFiles.js';
import { shownLocal } from '../time/clockTexts.js';
import { LocalZone } from '../time/localZone.js';
import { type CsvMapping, STAMPS_HAVE_OFFSETS } from './mapping.js';

/** A value whose interval is still named by a clock. */
export interface ClockValue extends Omit<FileRead, 'startMs' | 'minutes'> {
  /** What the clock shows at the end of the interval that the mapping names, ms as of `LocalZone`. */
  local: number;
  /** Of the stamp, where it has one. */
  offsetMs?: number | undefined;
}

type Meaning = Pick<CsvMapping, 'zone' | 'stamp' | 'repeatedHour' | 'minutes'>;

/** A time of a day near which the clocks change. */
interface NearChange {
  instants: readonly number[];
  /** Whether a time that the clocks show twice is within an hour. */
  isNearRepeat: boolean;
}

const HOUR_MS = 3_600_000;
const PROBES_MS = [-HOUR_MS, -HOUR_MS / 2, HOUR_MS / 2, HOUR_MS];
const REPEATED = 'repeated';

/**
 * Finds the instants of values that are named by a local clock. Whatever the file tells otherwise than the mapping says
 * is refused: energy in the wrong hour looks as good as energy in the right one.
 */
export class Placement {
  readonly #zone: LocalZone | undefined;
  readonly #lengthMs: number;
  readonly #nearChange = new Map<number, NearChange>();
  /** First passes that wait for the second, by meter, channel and time; and what has come of the others near them. */
  readonly #held = new Map<string, ClockValue | typeof REPEATED>();

  constructor(private readonly meaning: Meaning) {
    this.#zone = meaning.zone === STAMPS_HAVE_OFFSETS ? undefined : new LocalZone(meaning.zone);
    this.#lengthMs = meaning.minutes * 60_000;
  }

  get zone(): LocalZone | undefined {
    return this.#zone;
  }

  get isStart(): boolean {
    return this.meaning.stamp === 'start';
  }

  /** Whether the clock shows a stamp's time at all: times that it skips have no interval. */
  isShown(local: number): boolean {
    return this.#timesShown(local) > 0;
  }

  isShownOnce(local: number): boolean {
    return this.#timesShown(local) === 1;
  }

  #timesShown(local: number): number {
    const clock = this.#clockOf(local);
    if (this.#zone === undefined || this.#zone.settledOffset(clock) !== undefined) return 1;
    return this.#changeAt(clock, this.#zone).instants.length;
  }

  /** The clock's time that tells the interval: of its start, unless the stamp is the clock's at the end. */
  #clockOf(local: number): number {
    return this.meaning.stamp === 'end' ? local - this.#lengthMs : local;
  }

  /**
   * The start of the interval that a stamp names, ms UTC; undefined where it is not that plain, so that `place` has to
   * look: near a change of the clocks, and for what it refuses.
   */
  settledStart(local: number, offsetMs: number | undefined): number | undefined {
    if (local % this.#lengthMs !== 0) return undefined;
    const before = this.isStart ? 0 : this.#lengthMs;
    if (offsetMs !== undefined) return local - offsetMs - before;
    const settled = this.#zone?.settledOffset(this.#clockOf(local));
    return settled === undefined ? undefined : local - settled - before;
  }

  /** @throws UnreadableFileError where a time comes twice that the clocks show once: then the mapping is not the file's. */
  place(value: ClockValue, batch: FileBatch): void {
    const { local, offsetMs } = value;
    // Either end is a whole number of lengths after midnight, by the clock: India's hours begin at half past in UTC.
    if (local % this.#lengthMs !== 0)
      return void refuse(
        value,
        `no interval of ${this.meaning.minutes} minutes begins or ends at ${shownLocal(local)}`,
        batch,
      );
    const startMs = this.settledStart(local, offsetMs);
    if (startMs !== undefined) return void this.emit(value, startMs, batch);
    if (this.#zone === undefined)
      return void refuse(
        value,
        'the stamp has no offset from UTC, and the mapping says that each has one',
        batch,
      );
    this.#placeNearChange(value, this.#clockOf(local), this.#zone, batch);
  }

  /** What is left of the repeated hour. */
  end(batch: FileBatch): void {
    for (const value of this.#held.values())
      if (typeof value !== 'string')
        refuse(
          value,
          `the clocks show ${shownLocal(value.local)} twice, and the file has it once: it cannot be told which of the two is missing`,
          batch,
        );
    this.#held.clear();
  }

  emit(
    { meterId, channel, kwh, quality, line, feederId }: ClockValue,
    startMs: number,
    batch: FileBatch,
  ): void {
    const { minutes } = this.meaning;
    batch.reads.push({ meterId, channel, startMs, minutes, kwh, quality, line, feederId });
  }

  /** @param instant of what the stamp's clock time stands for. */
  #emitClock(value: ClockValue, instant: number, batch: FileBatch): void {
    this.emit(value, this.meaning.stamp === 'endByClock' ? instant - this.#lengthMs : instant, batch);
  }

  #placeNearChange(value: ClockValue, clock: number, zone: LocalZone, batch: FileBatch): void {
    const { instants, isNearRepeat } = this.#changeAt(clock, zone);
    const [first, second] = instants;
    if (first === undefined)
      refuse(value, `the clocks of ${zone.name} skip ${shownLocal(clock)} on that day`, batch);
    else if (second !== undefined) this.#placeRepeated(value, [first, second], batch);
    else {
      if (isNearRepeat && this.meaning.repeatedHour === 'inOrder') this.#requireOnce(value);
      this.#emitClock(value, first, batch);
    }
  }

  #placeRepeated(value: ClockValue, [first, second]: readonly [number, number], batch: FileBatch): void {
    const { repeatedHour } = this.meaning;
    if (repeatedHour === 'refuse')
      return void refuse(
        value,
        `the clocks show ${shownLocal(value.local)} twice: say in the mapping with repeatedHour whether the file has both in order (inOrder) or their sum (sum)`,
        batch,
      );
    if (repeatedHour === 'sum') {
      this.#requireOnce(value);
      const half = {
        ...value,
        kwh: halved(value.kwh),
        quality: { kind: 'estimated', method: 'halfOfRepeatedHour' },
      } as const;
      this.#emitClock(half, first, batch);
      return void this.#emitClock(half, second, batch);
    }
    const key = keyOf(value);
    const held = this.#held.get(key);
    if (held === undefined) return void this.#held.set(key, value);
    if (held === REPEATED) throw twice(value, 'a third time');
    this.#held.set(key, REPEATED);
    this.#emitClock(held, first, batch);
    this.#emitClock(value, second, batch);
  }

  #requireOnce(value: ClockValue): void {
    const key = keyOf(value);
    if (this.#held.has(key)) throw twice(value, 'twice');
    this.#held.set(key, REPEATED);
  }

  #changeAt(clock: number, zone: LocalZone): NearChange {
    let found = this.#nearChange.get(clock);
    if (found === undefined) {
      const isRepeat = (local: number): boolean => zone.instantsOf(local).length > 1;
      found = {
        instants: zone.instantsOf(clock),
        isNearRepeat: PROBES_MS.some((probe) => isRepeat(clock + probe)),
      };
      this.#nearChange.set(clock, found);
    }
    return found;
  }
}

function keyOf({ meterId, channel, local }: ClockValue): string {
  return `${channel} ${local} ${meterId}`;
}

function twice({ line, meterId, local }: ClockValue, times: string): UnreadableFileError {
  return new UnreadableFileError(
    line,
    `meter ${meterId} has ${shownLocal(local)} ${times}, which the clocks do not show as often: the mapping's zone or stamp is not the file's`,
  );
}

function refuse(
  { line, meterId }: Pick<ClockValue, 'line' | 'meterId'>,
  reason: string,
  batch: FileBatch,
): void {
  batch.refusals.push({ line, meterId, reason });
}

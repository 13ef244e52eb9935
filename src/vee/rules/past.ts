import { DAY, MINUTE } from './durations.js';

/** Days before that a read is compared with. */
export const PAST_DAYS = 14;

/** A measured read of the two weeks before, for comparison: none that is estimated or in question. */
export interface PastRead {
  at: number;
  minutes: number;
  kwh: number;
  hasVoltage: boolean;
}

/**
 * The past reads of a meter, to be asked for what is like an instant. They are columns: of 25,000 meters and two weeks a run
 * over one interval has a million, and as objects their making took three quarters of its CPU.
 */
export class Past {
  readonly #at: Float64Array;
  readonly #kwh: Float64Array;
  readonly #minutes: Uint16Array;
  readonly #hasVoltage: Uint8Array;

  /** Columns of one length, in the order of time: starts in ms, kWh per interval, lengths in minutes, and 1 or 0. */
  constructor(at: Float64Array, kwh: Float64Array, minutes: Uint16Array, hasVoltage: Uint8Array) {
    this.#at = at;
    this.#kwh = kwh;
    this.#minutes = minutes;
    this.#hasVoltage = hasVoltage;
  }

  /** @param reads in the order of time. */
  static of(reads: readonly PastRead[]): Past {
    return new Past(
      Float64Array.from(reads, ({ at }) => at),
      Float64Array.from(reads, ({ kwh }) => kwh),
      Uint16Array.from(reads, ({ minutes }) => minutes),
      Uint8Array.from(reads, ({ hasVoltage }) => Number(hasVoltage)),
    );
  }

  get size(): number {
    return this.#at.length;
  }

  /** The latest of them. */
  get last(): { at: number; minutes: number } | undefined {
    const index = this.size - 1;
    return index < 0 ? undefined : { at: this.#at[index] as number, minutes: this.#minutes[index] as number };
  }

  /** How many of them have a voltage. */
  get withVoltage(): number {
    return this.#hasVoltage.reduce((sum, has) => sum + has, 0);
  }

  has(instant: number): boolean {
    return this.#at[this.#firstFrom(instant)] === instant;
  }

  /** Energy of the read at an instant, of that length where one is named; undefined where there is none. */
  kwhAt(instant: number, minutes?: number): number | undefined {
    const index = this.#firstFrom(instant);
    if (this.#at[index] !== instant) return undefined;
    return minutes === undefined || this.#minutes[index] === minutes ? this.#kwh[index] : undefined;
  }

  /** Energies of the latest of them, as many as asked. */
  latestKwh(count: number): readonly number[] {
    return Array.from(this.#kwh.subarray(Math.max(0, this.size - count)));
  }

  /** Energies of the like intervals of one, sorted: at the same time of the UTC day, one interval earlier and one later. */
  likeKwh(at: number, minutes: number): Float64Array {
    const step = minutes * MINUTE;
    let found = 0;
    for (let day = PAST_DAYS; day >= 1; day -= 1) {
      const middle = at - day * DAY;
      for (let index = this.#firstFrom(middle - step); index < this.size; index += 1) {
        const away = (this.#at[index] as number) - middle;
        if (away > step) break;
        const isLike = (away === 0 || away === step || away === -step) && this.#minutes[index] === minutes;
        if (isLike) scratch[found++] = this.#kwh[index] as number;
      }
    }
    return scratch.subarray(0, found).sort();
  }

  /** Index of the first read at an instant or after it. */
  #firstFrom(instant: number): number {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#at[middle] as number) < instant) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is like one interval, until the next one is asked for. */
const scratch = new Float64Array(3 * PAST_DAYS);

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
/** No zone is further from UTC: 14 hours ahead, 12 behind. */
const FURTHEST_MS = 15 * MS_PER_HOUR;
/** Days whose offsets are kept. A file has few years; a full store starts afresh. */
const MAX_DAYS = 5_000;

/** `+10:00`, `-03:30`: a clock that never changes. */
const FIXED = /^([+-])(\d{2}):([0-5]\d)$/;

/**
 * A zone's clock. A time on it is ms as `Date.UTC` counts them of what the clock shows: it is no instant, since the same
 * time may be shown twice, once or never. The rules are those of Node's copy of the IANA database.
 */
export class LocalZone {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #fixed: number | undefined;
  readonly #offsetByDay = new Map<number, number | undefined>();
  #lastDay = Number.NaN;
  #lastSettled: number | undefined;

  /** @throws RangeError where `name` is neither a zone of the IANA database nor an offset such as `+10:00`. */
  constructor(readonly name: string) {
    this.#fixed = fixedOffset(name);
    if (this.#fixed === undefined)
      this.#format = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** The instants at which the clock shows `local`, the earlier first: none where it skips that time, two where it repeats. */
  instantsOf(local: number): readonly number[] {
    const settled = this.settledOffset(local);
    if (settled !== undefined) return [local - settled];
    const before = this.offsetAt(local - FURTHEST_MS);
    const after = this.offsetAt(local + FURTHEST_MS);
    return [...new Set([local - before, local - after])]
      .filter((instant) => instant + this.offsetAt(instant) === local)
      .toSorted((a, b) => a - b);
  }

  /** The first instant of a local day; where the clock skips midnight, the one at which it does. */
  startOf(day: number): number {
    const [first] = this.instantsOf(day);
    if (first !== undefined) return first;
    let [before, after] = [day - FURTHEST_MS, day + FURTHEST_MS];
    while (after - before > 1) {
      const between = Math.floor((before + after) / 2);
      if (this.localOf(between) < day) before = between;
      else after = between;
    }
    return after;
  }

  /** What the clock shows at an instant. */
  localOf(instant: number): number {
    return instant + this.offsetAt(instant);
  }

  /**
   * What to take from any time of `local`'s day to have its instant; undefined on a day near which the clock changes. No
   * zone changes twice within three days.
   */
  settledOffset(local: number): number | undefined {
    if (this.#fixed !== undefined) return this.#fixed;
    const day = Math.floor(local / MS_PER_DAY);
    if (day === this.#lastDay) return this.#lastSettled;
    this.#lastDay = day;
    this.#lastSettled = this.#settledOfDay(day);
    return this.#lastSettled;
  }

  #settledOfDay(day: number): number | undefined {
    if (this.#offsetByDay.has(day)) return this.#offsetByDay.get(day);
    const first = this.offsetAt(day * MS_PER_DAY - FURTHEST_MS);
    const last = this.offsetAt((day + 1) * MS_PER_DAY + FURTHEST_MS);
    const settled = first === last ? first : undefined;
    if (this.#offsetByDay.size >= MAX_DAYS) this.#offsetByDay.clear();
    this.#offsetByDay.set(day, settled);
    return settled;
  }

  /** How far the clock is ahead of UTC at an instant, ms. */
  offsetAt(instant: number): number {
    if (this.#format === undefined) return this.#fixed as number;
    const name =
      this.#format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
    return fixedOffset(name.slice(3)) ?? 0;
  }
}

function fixedOffset(text: string): number | undefined {
  const found = FIXED.exec(text);
  if (found === null) return text === 'UTC' ? 0 : undefined;
  const [, sign, hours, minutes] = found;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

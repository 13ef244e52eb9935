/**
 * Room: imports. Promises: a customer's file of interval data becomes reads whole or not at all, decided and told row by row;
 * what it replaces is kept; a packed file is opened within limits.
 */

import { ExactSum } from '../intervalFiles/decimal.js';
import type { EnergyChannel, FileBatch, FileRead, Refusal } from '../intervalFiles/intervalFiles.js';
import type { ReadQuality } from '../intervalFiles/quality.js';
import { dayOf } from '../intervalFiles/time/clockTexts.js';
import type { LocalZone } from '../intervalFiles/time/localZone.js';

/** A read as it is to be written; a meter's two channels of an interval are two of them. */
export interface PlannedRead {
  meterId: string;
  feederId: string;
  /** Start of the interval, as the house names intervals (D5). */
  readAt: Date;
  minutes: number;
  channel: EnergyChannel;
  /** kWh as a plain decimal. */
  kwh: string;
  quality: ReadQuality;
  line: number;
}

/** What a plan needs to know beside the file. */
export interface PlanOptions {
  /**
   * The feeder that a meter hangs on; undefined of a meter that the registry does not have. `named` is what the row names as its
   * feeder.
   */
  feederOf: (meterId: string, named?: string) => string | undefined;
  /** Why rows of such a meter are refused; left out where all are known. */
  whyUnknown?: (meterId: string, named?: string) => string;
  /** Whose days the report counts by. */
  zone: LocalZone;
  /** Refused rows beyond which nothing of the file is taken. */
  mostRefusals: number;
  now: Date;
  /** Reads of before are not kept; undefined keeps all. */
  keptSince?: Date | undefined;
}

/** What is planned for a meter on a local day. */
export interface PlannedDay {
  meterId: string;
  day: string;
  channel: EnergyChannel;
  reads: number;
  kwh: string;
  estimated: number;
}

export interface PlanReport {
  reads: number;
  /** Rows that became no read; `refusals` has the first of them. */
  refused: number;
  refusals: Refusal[];
  /** Values that are no electric energy, by what they are. */
  left: Record<string, number>;
  /** The first days, by meter, day and channel; `days` is how many there are. */
  byDay: PlannedDay[];
  days: number;
}

/** So many refusals are told: 2 MB of memory. Whoever has more has one reason for them. */
export const REFUSALS_TOLD = 10_000;
/** A year of 27 meters with both channels. Beyond, sums by day would make memory grow with the file. */
const DAYS_TOLD = 20_000;
/** A read of an interval that has not ended is no measurement; a day of doubt is left for clocks. */
const FUTURE_MS = 86_400_000;
/** Before there were interval meters: a stamp that was read wrongly. */
const EARLIEST_MS = Date.UTC(1990, 0, 1);
const MS_PER_MINUTE = 60_000;

/** Minutes: the largest step that an interval of this length and a quarter hour are whole numbers of. */
const gridOf = (minutes: number): number => {
  let [larger, smaller] = [15, minutes];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
};

/** More rows were refused than the limit allows: nothing of the file may be taken. */
export class TooManyRefusalsError extends Error {
  override name = 'TooManyRefusalsError';

  constructor(readonly report: PlanReport) {
    super(`${report.refused} rows were refused, which is more than the limit: nothing of the file is taken`);
  }
}

interface DaySum {
  reads: number;
  estimated: number;
  kwh: ExactSum;
}

/** Decides row by row what is written of a file, and keeps count. */
export class ImportPlan {
  #reads = 0;
  #refused = 0;
  readonly #refusals: Refusal[] = [];
  /** What is told once for all rows of a meter. */
  readonly #ofMeters = new Map<string, Refusal>();
  readonly #left = new Map<string, number>();
  readonly #days = new Map<string, DaySum>();
  #daysUntold = 0;

  constructor(private readonly options: PlanOptions) {}

  /**
   * What is to be written of a piece of the file: bad rows do not stop good ones.
   *
   * @throws TooManyRefusalsError once more rows were refused than the limit.
   */
  take({ reads, refusals, left }: FileBatch): PlannedRead[] {
    for (const refusal of refusals) this.#refuse(refusal);
    const { feederOf, whyUnknown } = this.options;
    for (const [what, count] of left) this.#left.set(what, (this.#left.get(what) ?? 0) + count);
    const planned: PlannedRead[] = [];
    for (const read of reads) {
      const feederId = feederOf(read.meterId, read.feederId);
      if (feederId === undefined) {
        const { meterId, line } = read;
        const reason = whyUnknown?.(meterId, read.feederId) ?? `meter ${meterId} is not in the registry`;
        this.#refuseMeter({ line, meterId, reason });
        continue;
      }
      const reason = this.#wrongWith(read);
      if (reason !== undefined) {
        this.#refuse({ line: read.line, meterId: read.meterId, reason });
        continue;
      }
      const { meterId, minutes, channel, kwh, quality, line } = read;
      this.#count(read);
      planned.push({
        ...{ meterId, feederId, readAt: new Date(read.startMs) },
        ...{ minutes, channel, kwh, quality, line },
      });
    }
    return planned;
  }

  report(): PlanReport {
    return {
      reads: this.#reads,
      refused: this.#refused,
      refusals: [...this.#refusals],
      left: Object.fromEntries(this.#left),
      byDay: [...this.#days].map(([key, { reads, estimated, kwh }]) => {
        const [day = '', channel = '', ...meter] = key.split('\t');
        const meterId = meter.join('\t');
        return { meterId, day, channel: channel as EnergyChannel, reads, kwh: kwh.toString(), estimated };
      }),
      days: this.#days.size + this.#daysUntold,
    };
  }

  #wrongWith({ startMs, minutes, kwh }: FileRead): string | undefined {
    if (startMs + minutes * 60_000 > this.options.now.getTime() + FUTURE_MS)
      return `the interval begins at ${new Date(startMs).toISOString()}, which is still to come`;
    if (60 % minutes !== 0)
      return `the interval is ${minutes} minutes long: reads of 60 minutes, or of a part that an hour has whole, are kept`;
    // Zones are whole quarter hours from UTC, so that the intervals of all lie on this grid.
    if (startMs % (gridOf(minutes) * MS_PER_MINUTE) !== 0)
      return `the interval begins at ${new Date(startMs).toISOString()}: one of ${minutes} minutes begins on a full ${gridOf(minutes)} minutes`;
    if (!(kwh.split('.')[0] ?? '').match(/^-?\d{1,9}$/))
      return `the energy is ${kwh} kWh, which no meter measures in an interval: look at its unit`;
    if (this.options.keptSince !== undefined && startMs < this.options.keptSince.getTime())
      return `the interval begins at ${new Date(startMs).toISOString()}, and reads are kept since ${this.options.keptSince.toISOString()} only (READS_RETENTION_DAYS)`;
    if (startMs < EARLIEST_MS)
      return `the interval begins at ${new Date(startMs).toISOString()}, before there were such meters`;
    return undefined;
  }

  /** Rows of a meter that has none of its rows taken are one refusal, with their count. */
  #refuseMeter(refusal: Refusal & { meterId: string }): void {
    const told = this.#ofMeters.get(refusal.meterId);
    if (told?.reason === refusal.reason) {
      told.rows = (told.rows ?? 1) + 1;
      this.#countRefused();
      return;
    }
    if (this.#refusals.length < REFUSALS_TOLD) this.#ofMeters.set(refusal.meterId, refusal);
    this.#refuse(refusal);
  }

  #refuse(refusal: Refusal): void {
    if (this.#refusals.length < REFUSALS_TOLD) this.#refusals.push(refusal);
    this.#countRefused();
  }

  #countRefused(): void {
    this.#refused += 1;
    if (this.#refused > this.options.mostRefusals) throw new TooManyRefusalsError(this.report());
  }

  #count({ meterId, channel, startMs, kwh, quality }: FileRead): void {
    this.#reads += 1;
    const key = `${dayOf(this.options.zone.localOf(startMs))}\t${channel}\t${meterId}`;
    let day = this.#days.get(key);
    if (day === undefined) {
      if (this.#days.size >= DAYS_TOLD) {
        this.#daysUntold += 1;
        return;
      }
      day = { reads: 0, estimated: 0, kwh: new ExactSum() };
      this.#days.set(key, day);
    }
    day.reads += 1;
    day.kwh.add(kwh);
    if (quality.kind === 'estimated') day.estimated += 1;
  }
}

import { DAY, type MeterSpan, MINUTE, type PastRead } from './meterSpan.js';

/** Days before that a read is compared with. */
export const PAST_DAYS = 14;
/** Fewer values say nothing of a meter's habits. */
const FEWEST = 8;

/** A meter's like intervals: at the same time of the UTC day, one interval earlier and one later, of 14 days. */
export interface LikeIntervals {
  median: number;
  /** The median of the distances from the median, as a standard deviation of a normal distribution. */
  spread: number;
  /** One or two values may be spikes themselves. */
  thirdHighest: number;
}

/** Of a standard deviation the median distance is this part; Rousseeuw and Croux 1993. */
const MAD_TO_DEVIATION = 1.4826;

/** The past reads of a meter, to be asked for what is like an instant. */
export class Past {
  readonly #byTime: ReadonlyMap<number, PastRead>;

  constructor(past: MeterSpan['past']) {
    this.#byTime = new Map(past.map((read) => [read.at, read]));
  }

  at(instant: number): PastRead | undefined {
    return this.#byTime.get(instant);
  }

  /** Undefined where there are too few to judge by. */
  like(at: number, minutes: number): LikeIntervals | undefined {
    const values: number[] = [];
    for (let day = 1; day <= PAST_DAYS; day += 1)
      for (let near = -1; near <= 1; near += 1) {
        const read = this.#byTime.get(at - day * DAY + near * minutes * MINUTE);
        if (read?.minutes === minutes) values.push(read.kwh);
      }
    return values.length < FEWEST ? undefined : likeIntervals(values);
  }
}

/** @param values at least three. */
export function likeIntervals(values: number[]): LikeIntervals {
  values.sort((a, b) => a - b);
  const median = middleOf(values);
  const distances = values.map((value) => Math.abs(value - median)).sort((a, b) => a - b);
  return {
    median,
    spread: MAD_TO_DEVIATION * middleOf(distances),
    thirdHighest: values[values.length - 3] as number,
  };
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] as number;
  return Number.isInteger(half) ? ((sorted[half - 1] as number) + upper) / 2 : upper;
}

import type { Past } from './past.js';

/** Fewer values say nothing of a meter's habits. */
const FEWEST = 8;

/** A meter's like intervals: at the same time of the UTC day, one interval earlier and one later, of 14 days. */
export interface LikeIntervals {
  median: number;
  /** The median of the distances from the median, as a standard deviation of a normal distribution. */
  spread: number;
  /** One or two values may be spikes themselves. */
  thirdHighest: number;
  thirdLowest: number;
}

/** Of a standard deviation the median distance is this part; Rousseeuw and Croux 1993. */
const MAD_TO_DEVIATION = 1.4826;

/** What a meter usually has at a time of the day; undefined where there are too few reads to judge by. */
export function likeIntervals(past: Past, at: number, minutes: number): LikeIntervals | undefined {
  const values = past.likeKwh(at, minutes);
  if (values.length < FEWEST) return undefined;
  const median = middleOf(values);
  const distances = values.map((value) => Math.abs(value - median)).sort();
  return {
    median,
    spread: MAD_TO_DEVIATION * middleOf(distances),
    thirdHighest: values[values.length - 3] as number,
    thirdLowest: values[2] as number,
  };
}

function middleOf(sorted: Float64Array): number {
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] as number;
  return Number.isInteger(half) ? ((sorted[half - 1] as number) + upper) / 2 : upper;
}

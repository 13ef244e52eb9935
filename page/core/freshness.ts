/** How fresh what is shown is, in words, and when that is worth a banner. */
import { duration, interval, relative } from './format.js';

export interface Freshness {
  /** One sentence for the header. */
  words: string;
  /** Older than anybody would expect. */
  isOld: boolean;
}

export interface FreshnessFacts {
  /** The latest interval that is whole, in ms. */
  complete: { start: number; end: number } | null;
  /** The interval under way, if any is. */
  underWay: { start: number; end: number; share: number } | null;
  automatic: boolean;
  now: number;
}

const MINUTE = 60_000;

/** After a boundary an interval takes up to some minutes to be written: older than two intervals is late. */
export function freshnessOf({ complete, underWay, automatic, now }: FreshnessFacts): Freshness {
  if (underWay) {
    const name = interval(underWay.start, underWay.end, now);
    return { words: `Writing ${name}: ${Math.floor(underWay.share * 100)} %`, isOld: false };
  }
  if (!complete) return { words: 'No interval yet', isOld: false };
  const length = complete.end - complete.start;
  const age = now - complete.end;
  const isOld = automatic && age > 2 * length + 2 * MINUTE;
  const name = interval(complete.start, complete.end, now);
  // A running interval is published at its start, so it may be whole before it is over.
  if (age < length) return { words: `Up to date: ${name} is complete`, isOld };
  return {
    words: isOld
      ? `Nothing new for ${duration(age / 1_000)}: ${name} was the last`
      : `${name} is the last, ended ${relative(complete.end, now)}`,
    isOld,
  };
}

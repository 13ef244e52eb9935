import { LRUCache } from 'lru-cache';
import { QUARTER_HOUR_MS } from '../customers/localTime.js';
import type { ReadsScene } from '../reads.js';
import { ENERGY, generateRegistryDay } from '../wholeDays/wholeDay.js';
import type { LocalDay } from './localDay.js';

/** How the reads were made that events are applied to: what their meters register at other times follows from it. */
export interface MadeReads extends ReadsScene {
  /** Of the fleet that the meters are of, or are named after; null for neither. */
  syntheticFeederCount: number | null;
}

/** What meters register on whole days without any event. */
export interface UnstolenUse {
  /** kWh in each interval of the day. */
  kwhOfDay(feederId: string, meterId: string, day: LocalDay): Readonly<Float64Array>;
  /** Says which meters of a feeder are about to be asked for: they are made together, at a tenth of the cost. */
  expect(feederId: string, meterIds: readonly string[], day: LocalDay): void;
}

/** Days of meters kept, 800 bytes each: the thieves of a feeder over two local days, which a UTC day lies in. */
const MAX_DAYS_KEPT = 4_000;

/** Keeps what it has made: a feeder's intervals are asked for one after the other. */
export function createUnstolenUse(made: MadeReads): UnstolenUse {
  const kept = new LRUCache<string, Float64Array>({ max: MAX_DAYS_KEPT });
  const keyOf = (meterId: string, { slots }: LocalDay): string => `${slots[0]} ${meterId}`;
  const use: UnstolenUse = {
    expect(feederId, meterIds, day) {
      const missing = meterIds.filter((meterId) => !kept.has(keyOf(meterId, day)));
      if (missing.length === 0) return;
      for (const [meterId, kwh] of madeDays(made, feederId, missing, day)) kept.set(keyOf(meterId, day), kwh);
    },
    kwhOfDay(feederId, meterId, day) {
      const found = kept.get(keyOf(meterId, day));
      if (found) return found;
      const kwh = madeDays(made, feederId, [meterId], day).get(meterId) as Float64Array;
      kept.set(keyOf(meterId, day), kwh);
      return kwh;
    },
  };
  return use;
}

function madeDays(
  made: MadeReads,
  feederId: string,
  meterIds: readonly string[],
  { slots }: LocalDay,
): Map<string, Float64Array> {
  const batch = { syntheticFeederCount: made.syntheticFeederCount, runs: [{ feederId, meterIds }] };
  const scene = {
    ...made,
    readAt: new Date((slots[0] as number) * QUARTER_HOUR_MS),
    intervals: slots.length,
  };
  const day = generateRegistryDay(scene, batch);
  return new Map(
    day.meterIds.map((meterId, at) => [
      meterId,
      Float64Array.from(
        day.kwh.subarray(at * slots.length, (at + 1) * slots.length),
        (whole) => whole / ENERGY,
      ),
    ]),
  );
}

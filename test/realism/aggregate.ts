import { homeSeries } from './oneHome.js';
import { daySlot, type Sample, SLOTS_PER_DAY } from './sample.js';
import { mean } from './statistics.js';

const HOMES = 1_000;
const DAYS = 7;

/** The largest step between two quarter hours on each day of a thousand homes together, share of their mean. */
export function dailySteps(sample: Sample, months: readonly number[]): number[] {
  return months.flatMap((month) => {
    const homes = homeSeries(sample, HOMES, daySlot(2026, month, 5), DAYS * SLOTS_PER_DAY);
    const total = new Float64Array(DAYS * SLOTS_PER_DAY);
    for (const home of homes) {
      for (let slot = 0; slot < total.length; slot += 1)
        total[slot] = (total[slot] as number) + (home[slot] as number);
    }
    return Array.from({ length: DAYS }, (_, day) => largestStep(total, day * SLOTS_PER_DAY) / mean(total));
  });
}

function largestStep(series: Float64Array, from: number): number {
  let largest = 0;
  for (let slot = from + 1; slot < from + SLOTS_PER_DAY; slot += 1) {
    largest = Math.max(largest, Math.abs((series[slot] as number) - (series[slot - 1] as number)));
  }
  return largest;
}

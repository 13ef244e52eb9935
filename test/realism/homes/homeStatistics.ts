import { quantile } from '../../support/quantiles.js';

/**
 * What a year of one home's reads says about it, whatever its size. Missing reads are NaN and left out, with every pair
 * that they belong to.
 */
export interface HomeStatistics {
  kwhPerDay: number;
  /** Standard deviation of the reads over their mean. */
  variation: number;
  /** Mean absolute step from one read to the next over the mean. */
  step: number;
  lagOne: number;
  lagDay: number;
  lagWeek: number;
  /** Of daily kWh: over the year, and about the mean of 28 days. */
  dayVariation: number;
  dayVariation28: number;
  dayLagOne: number;
  /** Daily kWh of Saturdays and Sundays against those of weekdays; of each alone. */
  weekend: number;
  saturday: number;
  sunday: number;
  /** Quantiles of the reads over their mean. */
  p10: number;
  p50: number;
  p99: number;
  loadFactor: number;
  /** Share of reads of nothing at all. */
  zeros: number;
  /** Longest run of days below 35 % of the home's median day. */
  lowRun: number;
  /** Of the mean weekday: highest and lowest over the mean, and the share of the weekdays' variance it explains. */
  profileMost: number;
  profileLeast: number;
  profileShare: number;
  profile: Float64Array;
  daily: Float64Array;
}

/** A home's reads from a local midnight on, and the day of the week (0 is Monday) of the first day. */
export interface HomeSeries {
  kwh: Float64Array;
  perDay: number;
  firstWeekday: number;
}

const known = (values: Float64Array): Float64Array => values.filter((value) => !Number.isNaN(value));

function average(values: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

function spread(values: Float64Array): number {
  const centre = average(values);
  return Math.sqrt(average(values.map((value) => (value - centre) ** 2)));
}

/** Correlation of a series with itself `lag` steps later, over the pairs that are there. */
export function lagged(values: Float64Array, lag: number): number {
  const centre = average(values);
  const variance = average(values.map((value) => (value - centre) ** 2));
  let sum = 0;
  let pairs = 0;
  for (let index = lag; index < values.length; index += 1) {
    const product = ((values[index] as number) - centre) * ((values[index - lag] as number) - centre);
    if (Number.isNaN(product)) continue;
    sum += product;
    pairs += 1;
  }
  return sum / pairs / variance;
}

/** kWh of each day; a day with a missing read is NaN. */
function days({ kwh, perDay }: HomeSeries): Float64Array {
  return Float64Array.from({ length: Math.floor(kwh.length / perDay) }, (_, day) => {
    let sum = 0;
    for (let slot = day * perDay; slot < (day + 1) * perDay; slot += 1) sum += kwh[slot] as number;
    return sum;
  });
}

export function homeStatistics(home: HomeSeries): HomeStatistics {
  const { kwh, perDay, firstWeekday } = home;
  const reads = known(kwh);
  const level = average(reads);
  const daily = days(home);
  const ofWeek = (...wanted: number[]) =>
    average(daily.filter((_, day) => wanted.includes((day + firstWeekday) % 7)));
  const weekday = ofWeek(0, 1, 2, 3, 4);
  const steps = kwh.map((value, index) =>
    index === 0 ? Number.NaN : Math.abs(value - (kwh[index - 1] as number)),
  );
  const { profile, share } = weekdayProfile(home);
  const profileMean = average(profile);
  return {
    kwhPerDay: level * perDay,
    variation: spread(kwh) / level,
    step: average(steps) / level,
    lagOne: lagged(kwh, 1),
    lagDay: lagged(kwh, perDay),
    lagWeek: lagged(kwh, 7 * perDay),
    dayVariation: spread(daily) / average(daily),
    dayVariation28: monthlyVariation(daily),
    dayLagOne: lagged(daily, 1),
    weekend: ofWeek(5, 6) / weekday,
    saturday: ofWeek(5) / weekday,
    sunday: ofWeek(6) / weekday,
    p10: quantile(reads, 0.1) / level,
    p50: quantile(reads, 0.5) / level,
    p99: quantile(reads, 0.99) / level,
    loadFactor: level / reads.reduce((most, value) => Math.max(most, value), 0),
    zeros: reads.filter((value) => value === 0).length / reads.length,
    lowRun: longestLowRun(daily),
    profileMost: Math.max(...profile) / profileMean,
    profileLeast: Math.min(...profile) / profileMean,
    profileShare: share,
    profile,
    daily,
  };
}

function weekdayProfile({ kwh, perDay, firstWeekday }: HomeSeries): { profile: Float64Array; share: number } {
  const sums = new Float64Array(perDay);
  const counts = new Float64Array(perDay);
  const values: number[] = [];
  for (let index = 0; index < kwh.length; index += 1) {
    const weekday = (Math.floor(index / perDay) + firstWeekday) % 7;
    const value = kwh[index] as number;
    if (weekday > 4 || Number.isNaN(value)) continue;
    const slot = index % perDay;
    sums[slot] = (sums[slot] as number) + value;
    counts[slot] = (counts[slot] as number) + 1;
    values.push(value);
  }
  const profile = sums.map((sum, slot) => sum / (counts[slot] as number));
  return { profile, share: (spread(profile) / spread(Float64Array.from(values))) ** 2 };
}

/** Mean over blocks of 28 days of the standard deviation of their days over their mean. */
function monthlyVariation(daily: Float64Array): number {
  const blocks: number[] = [];
  for (let from = 0; from + 28 <= daily.length; from += 28) {
    const block = known(daily.slice(from, from + 28));
    if (block.length >= 14 && average(block) > 0) blocks.push(spread(block) / average(block));
  }
  return average(blocks);
}

function longestLowRun(daily: Float64Array): number {
  const low = 0.35 * quantile(known(daily), 0.5);
  let run = 0;
  let longest = 0;
  for (const day of daily) {
    run = day < low ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

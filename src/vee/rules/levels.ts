import type { VeeRule } from '../../contracts/veeRules.js';
import { likeIntervals, likeMedian } from './likeIntervals.js';
import { endOf, type Found, type MeterSpan, type SpanRead } from './meterSpan.js';

const ofRead = (rule: VeeRule, read: SpanRead, value: number, limit: number): Found => ({
  rule,
  from: read.at,
  to: endOf(read),
  value,
  limit,
  reads: [read.at],
});

/** `negative`: energy below zero by more than the limit, in kWh. */
export function negatives({ reads }: MeterSpan, limit: number): Found[] {
  return reads
    .filter(({ kwh }) => kwh < -limit)
    .map((read) => ofRead('negative', read, read.kwh, -limit || 0));
}

/** Nothing below an average power of 2 kW is a spike: one appliance in an empty house. */
const LEAST_SPIKE_KW = 2;
/** Spreads above the median. A meter of many small peaks has a wide spread. */
const SPREADS = 10;

/**
 * `spike`: a read that is further above the third highest of the meter's like intervals than the limit, in percent, and
 * more than ten spreads above their median. `value` and `limit` of what is found are kWh.
 */
export function spikes({ reads, past }: MeterSpan, limit: number): Found[] {
  return reads.flatMap((read) => {
    const least = (LEAST_SPIKE_KW * read.minutes) / 60;
    if (!(read.kwh > least)) return [];
    const like = likeIntervals(past, read.at, read.minutes);
    if (like === undefined) return [];
    const most = Math.max(least, like.thirdHighest * (1 + limit / 100), like.median + SPREADS * like.spread);
    return read.kwh > most ? [ofRead('spike', read, read.kwh, most)] : [];
  });
}

/** The factor of a wrong unit is a thousand; usage itself may differ by half and by double, and the limit is the half. */
const FACTOR_RANGE = 4;

/**
 * `thousandfold`: a read that is as many times the median of the meter's like intervals as the limit, or as small a part
 * of it: a multiplier is wrong, as after an exchange of the meter. `value` is how many times.
 */
export function thousandfolds({ reads, past }: MeterSpan, limit: number): Found[] {
  return reads.flatMap((read) => {
    if (!(read.kwh > 0)) return [];
    const median = likeMedian(past, read.at, read.minutes);
    if (median === undefined || median <= 0) return [];
    const times = read.kwh / median;
    const factor = Math.max(times, 1 / times);
    return factor >= limit && factor <= limit * FACTOR_RANGE
      ? [ofRead('thousandfold', read, times, limit)]
      : [];
  });
}

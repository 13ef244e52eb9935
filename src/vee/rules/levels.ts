import type { VeeRule } from '../../contracts/veeRules.js';
import { likeIntervals } from './likeIntervals.js';
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

/** Nothing below an average power of 10 kW is a spike: a home's shower, cooker or car may come at any hour, for the first time too. */
const LEAST_SPIKE_KW = 10;
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
 * Of the limit: so far beyond the meter's own third highest or third lowest a read must lie as well. Behind a roof the median is next
 * to nothing, and 0.8 kWh in a cloud's shadow are a thousand times as much.
 */
const BEYOND_OWN = 0.1;

/**
 * `thousandfold`: a read that is as many times the median of the meter's like intervals as the limit, or as small a part
 * of it: a multiplier is wrong, as after an exchange of the meter. `value` is how many times.
 */
export function thousandfolds({ reads, past }: MeterSpan, limit: number): Found[] {
  return reads.flatMap((read) => {
    if (!(read.kwh > 0)) return [];
    const like = likeIntervals(past, read.at, read.minutes);
    if (like === undefined || like.median <= 0) return [];
    const times = read.kwh / like.median;
    const factor = Math.max(times, 1 / times);
    const beyond = times > 1 ? read.kwh / like.thirdHighest : like.thirdLowest / read.kwh;
    return factor >= limit && factor <= limit * FACTOR_RANGE && beyond >= limit * BEYOND_OWN
      ? [ofRead('thousandfold', read, times, limit)]
      : [];
  });
}

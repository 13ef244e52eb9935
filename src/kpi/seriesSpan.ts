import { MS_PER_DAY } from '../contracts/intervals.js';
import { MOST_DAYS, type Resolution, requireSpan } from '../contracts/seriesRequest.js';

/** What a series is asked for, in whole steps. */
export interface SeriesSpan {
  resolution: Resolution;
  /** Start of the first step; of days an instant in the first. */
  from: Date;
  /** End of the last step, exclusive; of days an instant in it or its end. */
  to: Date;
}

/** Up to how many days a span has intervals, or hours, where nobody says which: some 200 or 840 of them. */
const USUAL_DAYS = { interval: 2, hour: 35 };
const QUARTER_HOUR = 900_000;
/** Of days there is none: they are the tenant's (`tenantDays`). */
const STEP_MS: Record<Resolution, number> = { interval: QUARTER_HOUR, hour: 4 * QUARTER_HOUR, day: 1 };
/** What the sentence about too long a span adds. */
const ADVICE: Record<Resolution, string> = {
  interval: ' with resolution=interval; resolution=hour takes more',
  hour: ' with resolution=hour; resolution=day takes more',
  day: '',
};

/**
 * The steps that `[from, to)` touches, all of them whole; of days as it was asked for.
 *
 * @throws ApiError 400 when the span is empty, begins before 2000, or is too long for its resolution.
 */
export function seriesSpan(asked: { from: Date; to: Date; resolution?: Resolution | undefined }): SeriesSpan {
  const resolution = asked.resolution ?? usual(asked.to.getTime() - asked.from.getTime());
  const step = STEP_MS[resolution];
  requireSpan(asked.from, asked.to, MOST_DAYS[resolution], ADVICE[resolution]);
  return {
    resolution,
    from: new Date(Math.floor(asked.from.getTime() / step) * step),
    to: new Date(Math.ceil(asked.to.getTime() / step) * step),
  };
}

function usual(ms: number): Resolution {
  if (ms <= USUAL_DAYS.interval * MS_PER_DAY) return 'interval';
  return ms <= USUAL_DAYS.hour * MS_PER_DAY ? 'hour' : 'day';
}

/** The starts of all steps, in order. */
export function stepsOf({ from, to }: Pick<SeriesSpan, 'from' | 'to'>, stepMinutes: number): number[] {
  const step = stepMinutes * 60_000;
  const first = Math.floor(from.getTime() / step) * step;
  return Array.from({ length: Math.ceil((to.getTime() - first) / step) }, (_, place) => first + place * step);
}

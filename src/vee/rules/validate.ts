import type { VeeRule } from '../../contracts/veeRules.js';
import { offBoundary, shiftedDay } from './clock.js';
import { gapsOf, missing } from './gaps.js';
import { negatives, spikes, thousandfolds } from './levels.js';
import type { Found, MeterSpan, Part } from './meterSpan.js';
import { overlaps, repeatedDays, withoutVoltage, zeroRuns } from './runs.js';

/** All that the rules of a part find of one meter; a rule that is off finds nothing. `register-sum` is apart. */
export function validateMeter(meter: MeterSpan, part: Part): Found[] {
  const by = (rule: VeeRule, find: (limit: number) => Found[]): Found[] => {
    const { severity, limit } = part.rules[rule];
    return severity === 'off' ? [] : find(limit);
  };
  const thousandfold = by('thousandfold', (limit) => thousandfolds(meter, limit));
  const explained = new Set(thousandfold.map(({ from }) => from));
  return [
    ...by('missing', (limit) => missing(gapsOf(meter, part), limit)),
    ...by('zero-run', (limit) => zeroRuns(meter, limit)),
    // What a wrong multiplier explains is no spike.
    ...by('spike', (limit) => spikes(meter, limit).filter(({ from }) => !explained.has(from))),
    ...by('negative', (limit) => negatives(meter, limit)),
    ...by('voltage-missing', (limit) => withoutVoltage(meter, limit)),
    ...by('clock-shift', (limit) => [...offBoundary(meter, limit), ...shiftedDay(meter, part, limit)]),
    ...by('duplicate', (limit) => [...overlaps(meter, limit), ...repeatedDays(meter, limit)]),
    ...thousandfold,
  ];
}

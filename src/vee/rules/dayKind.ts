export type KindOfDay = 'workday' | 'Saturday' | 'Sunday';

/** @param at a time on a clock, as `Date.UTC` counts: the tenant's, or UTC itself. */
export function kindOfDay(at: number): KindOfDay {
  const day = new Date(at).getUTCDay();
  if (day === 0) return 'Sunday';
  return day === 6 ? 'Saturday' : 'workday';
}

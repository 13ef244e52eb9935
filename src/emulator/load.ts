/** What an average customer draws, by time of day; the spread between customers is in `noise.ts`. */

/** Mean consumption of a US household, kWh a day (EIA FAQ 97: 10,715 kWh a year). */
export const MEAN_KWH_PER_DAY = 29.3;
const QUARTER_HOURS_PER_DAY = 96;

/**
 * Relative load at each full hour: night trough at 03 h, evening peak at 18–20 h, between the winter and the
 * summer weekday of the BDEW H25 profile (shared/data/bdew_2025_profiles.csv). Scaled below to a mean of 1.
 */
const HOURLY_SHAPE = [
  0.72, 0.64, 0.6, 0.58, 0.6, 0.68, 0.85, 1.0, 1.03, 1.02, 1.03, 1.05, 1.08, 1.05, 1.0, 0.98, 1.03, 1.22,
  1.45, 1.52, 1.42, 1.25, 1.05, 0.87,
] as const;
const SHAPE_MEAN = HOURLY_SHAPE.reduce((sum, value) => sum + value, 0) / HOURLY_SHAPE.length;

/**
 * Baseline energy of an average customer in the quarter hour around `hourOfDay`, in kWh.
 *
 * @param hourOfDay hour of the day with fraction, [0, 24): 18.25 is a quarter past six in the evening.
 */
export function baselineKwh(hourOfDay: number): number {
  const hour = Math.floor(hourOfDay) % 24;
  const fraction = hourOfDay - Math.floor(hourOfDay);
  const here = HOURLY_SHAPE[hour] ?? 1;
  const next = HOURLY_SHAPE[(hour + 1) % 24] ?? 1;
  const relative = (here + (next - here) * fraction) / SHAPE_MEAN;
  return (MEAN_KWH_PER_DAY / QUARTER_HOURS_PER_DAY) * relative;
}

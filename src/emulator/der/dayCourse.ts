/** Courses of a day by the 96 quarter hours of the local clock, with mean 1. */

const QUARTERS = 96;

/** @param hours 24 values, each held for an hour. */
export function hourly(hours: readonly number[]): Float64Array {
  const mean = hours.reduce((sum, hour) => sum + hour, 0) / hours.length;
  return Float64Array.from({ length: QUARTERS }, (_, quarter) => (hours[quarter >> 2] as number) / mean);
}

/** @param points hours from 0 to 24 and values, with straight lines between. */
export function through(points: readonly (readonly [hour: number, value: number])[]): Float64Array {
  const values = Float64Array.from({ length: QUARTERS }, (_, quarter) =>
    valueAt(points, (quarter + 0.5) / 4),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / QUARTERS;
  return values.map((value) => value / mean);
}

function valueAt(points: readonly (readonly [number, number])[], hour: number): number {
  const after = points.findIndex(([at]) => at > hour);
  const [from, before] = points[after - 1] as readonly [number, number];
  const [to, next] = points[after] as readonly [number, number];
  return before + ((next - before) * (hour - from)) / (to - from);
}

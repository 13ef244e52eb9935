/** Deviates by their measured quantiles, as a table for `pick`: 1,024 steps. */
const STEPS = 1_024;

/**
 * @param points share of the values below, and the value, both rising; straight lines between the logarithms of the values.
 */
export function measuredQuantiles(
  points: readonly (readonly [share: number, value: number])[],
): Float64Array {
  return Float64Array.from({ length: STEPS }, (_, step) => valueAt(points, (step + 0.5) / STEPS));
}

function valueAt(points: readonly (readonly [number, number])[], share: number): number {
  const after = Math.max(
    1,
    points.findIndex(([below]) => below >= share),
  );
  const [fromShare, from] = points[after - 1] as readonly [number, number];
  const [toShare, to] = points[after] as readonly [number, number];
  const way = (share - fromShare) / (toShare - fromShare);
  return Math.exp(Math.log(from) + (Math.log(to) - Math.log(from)) * way);
}

/**
 * Steps of a day as deviates, each as frequent as its weight says.
 *
 * @param weights of the hours of a day.
 * @returns quarter hours of the day, 0 up to 96, with fractions.
 */
export function quartersByWeight(weights: readonly number[]): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let hour = 0;
  let before = 0;
  return Float64Array.from({ length: STEPS }, (_, step) => {
    const wanted = ((step + 0.5) / STEPS) * total;
    while (before + (weights[hour] as number) < wanted) {
      before += weights[hour] as number;
      hour += 1;
    }
    return 4 * (hour + (wanted - before) / (weights[hour] as number));
  });
}

/** A series of measured values. */
export type Series = Float64Array | readonly number[];

/** The value below which `share` of the values lie. */
export function quantile(values: Series, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

export const median = (values: Series): number => quantile(values, 0.5);

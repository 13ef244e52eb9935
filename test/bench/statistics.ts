/** The value at `share` (0 to 1) of the sorted values: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** One line of the report. */
export interface Row {
  what: string;
  measured: string;
  ratio: string;
  target: string;
}

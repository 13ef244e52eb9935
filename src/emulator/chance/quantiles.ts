/**
 * Quantile tables: a draw of 32 bits becomes a deviate by one look-up, where a logarithm and a cosine would
 * cost more than the rest of a read. 1,024 steps, so the tails end at about 3.3 standard deviations.
 */
export type Quantiles = Float64Array;

const STEPS_LOG2 = 10;
const STEPS = 1 << STEPS_LOG2;

/** Lognormal deviates with mean exactly 1. */
export function lognormalQuantiles(sdlog: number): Quantiles {
  return quantiles((probability) => Math.exp(sdlog * normalQuantile(probability)));
}

/** Exponential deviates with mean exactly 1, the longest about 7.6. */
export function exponentialQuantiles(): Quantiles {
  return quantiles((probability) => -Math.log(1 - probability));
}

/** The table's deviate for 32 random bits, of which it uses the upper ten. */
export function pick(table: Quantiles, draw: number): number {
  return table[draw >>> (32 - STEPS_LOG2)] as number;
}

function quantiles(quantile: (probability: number) => number): Quantiles {
  const table = Float64Array.from({ length: STEPS }, (_, step) => quantile((step + 0.5) / STEPS));
  const mean = table.reduce((sum, value) => sum + value, 0) / STEPS;
  return table.map((value) => value / mean);
}

/** Quantile of the standard normal, within 0.01 up to 3.3 deviations: Tukey's lambda (Joiner, Rosenblatt 1971). */
function normalQuantile(probability: number): number {
  return (probability ** 0.135 - (1 - probability) ** 0.135) / 0.1975;
}

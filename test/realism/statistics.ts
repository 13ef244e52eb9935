import { quantile, type Series } from '../support/quantiles.js';

/** Plain statistics of the measured series, beside the quantiles. */

export function mean(values: Series): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

export function deviation(values: Series): number {
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / values.length);
}

/** Correlation of a series with itself `lag` steps later. */
export function autocorrelation(values: Series, lag: number): number {
  const centre = mean(values);
  let together = 0;
  let alone = 0;
  for (let index = 0; index < values.length; index += 1) {
    const here = (values[index] as number) - centre;
    alone += here ** 2;
    if (index >= lag) together += here * ((values[index - lag] as number) - centre);
  }
  return together / alone;
}

export function correlation(one: Series, other: Series): number {
  const [centre, otherCentre] = [mean(one), mean(other)];
  let together = 0;
  for (let index = 0; index < one.length; index += 1) {
    together += ((one[index] as number) - centre) * ((other[index] as number) - otherCentre);
  }
  return together / one.length / (deviation(one) * deviation(other));
}

/** The middle eight tenths of the values, in words: `10–90 % of homes: 0.9 – 1.2`. */
export function middleRange(values: Series, of: string): string {
  return `10–90 % of ${of}: ${short(quantile(values, 0.1))} – ${short(quantile(values, 0.9))}`;
}

/** Three digits, as many as the figures are good for. */
export function short(value: number): string {
  return Number(value.toPrecision(value >= 10 ? 4 : 3)).toString();
}

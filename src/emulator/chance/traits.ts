import { drawAt, STREAM } from './random.js';

/**
 * Draws of what never changes about one customer of a model with places, each by the number of its trait. Plain functions:
 * a customer has some eighty, and closures made for each customer would cost more than all the draws.
 */

/** In [0, 1). */
export function uniform(key: number, trait: number): number {
  return drawAt(key, STREAM.placeCustomer, trait) / 2 ** 32;
}

export function between(key: number, trait: number, least: number, most: number): number {
  return least + (most - least) * uniform(key, trait);
}

/** A whole number, all from `least` to `most` as likely. */
export function whole(key: number, trait: number, least: number, most: number): number {
  return least + Math.floor(uniform(key, trait) * (most - least + 1));
}

/** Whether something is so that is with this probability. */
export function has(key: number, trait: number, probability: number): boolean {
  return uniform(key, trait) < probability;
}

const LIMIT = 2.5;

/** Lognormal about a median, cut off at two and a half deviations. */
export function lognormal(key: number, trait: number, median: number, sdlog: number): number {
  const draw = drawAt(key, STREAM.placeCustomer, trait);
  // The sum of four bytes is nearly normal.
  const bytes = (draw & 255) + ((draw >>> 8) & 255) + ((draw >>> 16) & 255) + (draw >>> 24);
  const deviate = Math.max(-LIMIT, Math.min(LIMIT, (bytes - 510) / 147.8));
  return median * Math.exp(sdlog * deviate);
}

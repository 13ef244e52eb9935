import { fractionDigits, shifted } from '../decimal.js';

/** Digits of a DECIMAL, and how many of them are behind the point. */
export const PRECISION = 38;
export const SCALE = 18;

const MOST = 10n ** BigInt(PRECISION) - 1n;

/** A plain decimal as the whole number that stands for it in a DECIMAL(38, 18); undefined of one that has more digits than that. */
export function unscaled(plain: string): bigint | undefined {
  if (fractionDigits(plain) > SCALE) return undefined;
  const whole = shifted(plain, SCALE);
  if (whole === undefined) return undefined;
  const value = BigInt(whole);
  return value > MOST || value < -MOST ? undefined : value;
}

import { pick, type Quantiles } from './quantiles.js';
import { drawAt } from './random.js';

/**
 * Noise with a memory and yet random access: independent deviates at nodes `period` steps apart, straight
 * lines between them. Neighbouring steps are alike, steps more than two periods apart independent. The mean is
 * that of the table.
 */
export function valueNoise(
  key: number,
  stream: number,
  step: number,
  period: number,
  table: Quantiles,
): number {
  const node = Math.floor(step / period);
  const here = pick(table, drawAt(key, stream, node));
  const next = pick(table, drawAt(key, stream, node + 1));
  return here + (next - here) * (step / period - node);
}

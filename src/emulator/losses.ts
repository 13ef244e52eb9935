import { type Randomness, STREAM } from './random.js';

/** Technical loss of a feeder at mean load: 3–6 % of what is delivered (US T&D about 5 %, EIA FAQ 105). */
const MIN_LOSS = 0.03;
const MAX_LOSS = 0.06;
/** Measuring error of the utility's side, relative, uniform: class 0.2 instrument (IEC 62053-22). */
const MEASURING_ERROR = 0.002;

/** The feeder's technical loss as a fraction of delivered energy, the same at every instant. */
export function feederLossFactor(random: Randomness, feeder: number): number {
  return MIN_LOSS + (MAX_LOSS - MIN_LOSS) * random.uniform(STREAM.feederLoss, feeder, 0);
}

/**
 * What the utility's side measures as delivered to a service point, kWh: the consumption and its share of the
 * feeder's technical loss, with a small measuring error (decision 9). Loss = (delivered − kwh) / delivered.
 */
export function deliveredKwh(
  random: Randomness,
  consumedKwh: number,
  lossFactor: number,
  meter: number,
  slot: number,
): number {
  const error = 1 + MEASURING_ERROR * (2 * random.uniform(STREAM.deliveryMeasurement, meter, slot) - 1);
  return (consumedKwh / (1 - lossFactor)) * error;
}

import { drawAt, STREAM } from '../chance/random.js';

/**
 * Technical loss of a feeder at mean load: 3–6 % of what is delivered (US T&D about 5 %, EIA FAQ 105), drawn a
 * little inside, since a feeder's actual load is never quite the expected.
 */
const MIN_LOSS = 0.034;
const MAX_LOSS = 0.054;
/** Share of the loss at mean load that does not depend on load: transformers' iron (this project's assumption). */
const NO_LOAD_SHARE = 0.2;
/** How far a meter's share of its feeder's loss is below the mean at the substation, and above it at the far end. */
const DISTANCE_SPREAD = 0.04;
/** Measuring error of the utility's side, relative, uniform: class 0.2 instrument (IEC 62053-22). */
export const MEASURING_ERROR = 0.002;

/** A feeder's technical loss at mean load, share of delivered energy. */
export function lossAtMeanLoad(feederKey: number): number {
  return MIN_LOSS + ((MAX_LOSS - MIN_LOSS) * drawAt(feederKey, STREAM.feederLoss, 0)) / 2 ** 32;
}

/**
 * Technical loss as a share of delivered energy. The energy lost is a constant part and one that grows with the
 * square of the current (I²R), so the share is a/load + b·load; a quarter hour at twice the mean load loses
 * 1.7 times the share.
 *
 * @param relativeLoad load relative to the feeder's mean, 0.4 to 2.35.
 */
export function lossFraction(atMeanLoad: number, relativeLoad: number): number {
  return atMeanLoad * (NO_LOAD_SHARE / relativeLoad + (1 - NO_LOAD_SHARE) * relativeLoad);
}

/** What a meter's place makes of its feeder's share of loss. */
export function lossByDistance(distance: number): number {
  return 1 + DISTANCE_SPREAD * (2 * distance - 1);
}

/**
 * What the utility's side measures as delivered to a service point, kWh: the consumption and its share of the
 * feeder's technical loss, with a small measuring error (D9). Loss = (delivered − kwh) / delivered.
 *
 * @param distance of the meter along the feeder, 0 at the substation, 1 at the far end.
 */
export function deliveredKwh(
  consumedKwh: number,
  feederLoss: number,
  distance: number,
  meterKey: number,
  slot: number,
): number {
  const share = feederLoss * lossByDistance(distance);
  const draw = drawAt(meterKey, STREAM.deliveryMeasurement, slot) / 2 ** 32;
  return (consumedKwh / (1 - share)) * (1 + MEASURING_ERROR * (2 * draw - 1));
}

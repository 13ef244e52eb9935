import { valueNoise } from '../chance/noise.js';
import type { Quantiles } from '../chance/quantiles.js';
import { drawAt, STREAM } from '../chance/random.js';

/**
 * Service voltage on a 120 V base, whatever the customer's class. In normal running 118–124 V (D17), which
 * the constants below keep between them: at most 123.0 + 0.4 at the substation, at least 122.2 − 3.2 − 0.9 at
 * the far end of a feeder at its limit.
 */
const HEAD_VOLTS = 122.6;
/** How feeders differ at the substation, and how the regulator there wanders, volts to either side. */
const HEAD_SPREAD = 0.2;
const HEAD_DRIFT = 0.2;
/** The regulator's wandering lasts for hours; quarter hours. */
const DRIFT_STEPS = 20;
/** Drop from the substation to the far end at mean load, volts: short feeders, long feeders. */
const MIN_DROP = 0.9;
const MAX_DROP = 1.35;
/** Drop on the customer's own service line when it draws far more than it usually does, volts. */
export const OWN_DROP = 0.5;
/** How service points differ for good, and from one quarter hour to the next, volts to either side. */
const POINT_SPREAD = 0.2;
export const RIPPLE = 0.2;

const DRIFT: Quantiles = Float64Array.from(
  { length: 1024 },
  (_, step) => HEAD_DRIFT * ((2 * (step + 0.5)) / 1024 - 1),
);

/** A feeder's drop to its far end at mean load, volts. */
export function lineDrop(feederKey: number): number {
  return MIN_DROP + (MAX_DROP - MIN_DROP) * share(drawAt(feederKey, STREAM.lineImpedance, 0));
}

/** Voltage at the head of a feeder in a quarter hour, volts. */
export function headVoltage(feederKey: number, slot: number): number {
  return (
    HEAD_VOLTS +
    HEAD_SPREAD * (2 * share(drawAt(feederKey, STREAM.headVoltage, 0)) - 1) +
    valueNoise(feederKey, STREAM.headVoltageDrift, slot, DRIFT_STEPS, DRIFT)
  );
}

/** By how much a service point's voltage always differs from its neighbours', volts. */
export function pointOffset(meterKey: number): number {
  return POINT_SPREAD * (2 * share(drawAt(meterKey, STREAM.meterVoltage, 0)) - 1);
}

/** Voltage of the line `distance` (0–1) along a feeder whose far end lies `farEndDrop` volts below its head. */
export function lineVoltage(headVolts: number, farEndDrop: number, distance: number): number {
  return headVolts - farEndDrop * distance;
}

/** Voltage lost on the customer's own service line at a load relative to its mean, volts. */
export function ownDrop(ownLoad: number): number {
  return (OWN_DROP * ownLoad) / (ownLoad + 4);
}

/** Voltage at a service point, volts: the line's, plus the differences of this point and of this quarter hour. */
export function serviceVoltage(
  lineVolts: number,
  pointVolts: number,
  meterKey: number,
  slot: number,
): number {
  return lineVolts + pointVolts + RIPPLE * (2 * share(drawAt(meterKey, STREAM.voltageRipple, slot)) - 1);
}

function share(draw: number): number {
  return draw / 2 ** 32;
}

import { type Randomness, STREAM } from './random.js';

/** Spread of annual consumption over homes: lognormal, sdlog 0.45–0.70 (Kuusela 2015; ten homes: 0.57). */
const SIZE_SDLOG = 0.57;
/** Spread of one meter's quarter hours around its own curve, sdlog. */
const INTERVAL_SDLOG = 0.35;

/** How many times the average customer this meter is, for ever: lognormal with mean 1. */
export function customerSize(random: Randomness, meter: number): number {
  return Math.exp(SIZE_SDLOG * random.normal(STREAM.customerSize, meter, 0) - SIZE_SDLOG ** 2 / 2);
}

/** The factor by which one quarter hour departs from the meter's own curve: lognormal with mean 1. */
export function loadNoise(random: Randomness, meter: number, slot: number): number {
  return Math.exp(INTERVAL_SDLOG * random.normal(STREAM.loadNoise, meter, slot) - INTERVAL_SDLOG ** 2 / 2);
}

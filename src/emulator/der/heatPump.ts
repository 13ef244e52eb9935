import { drawAt } from '../chance/random.js';
import { DER_STREAM } from './derStreams.js';
import type { HeatPump } from './equipment.js';

/** What a heat pump draws: heat that the house loses, over the efficiency at the day's temperature, and hot water. */

/** Above this temperature houses need no heating, °C. */
const HEATS_BELOW = 15.5;
/** The efficiency by a degree of the air outside, and its bounds. */
const COP_PER_DEGREE = 0.025;
const LEAST_COP = 1.7;
const MOST_COP = 6;
/** Hot water, kW of electricity on average: some 500 kWh a year. */
const WATER_KW = 0.057;
/** A pump that is needed for less of the time than this leaves cycles out. */
const LEAST_DUTY = 0.4;

/** What is asked of heating and of hot water by the hour of the day; maxima at 8 to 9 and 18 to 19 h. Mean 1. */
const HEATING = normalised([
  0.82, 0.8, 0.79, 0.8, 0.86, 0.98, 1.12, 1.25, 1.32, 1.16, 1.04, 0.98, 0.95, 0.93, 0.93, 0.97, 1.06, 1.18,
  1.26, 1.16, 1.06, 0.98, 0.9, 0.84,
]);
const WATER = normalised([
  0.4, 0.3, 0.3, 0.4, 0.8, 1.4, 1.9, 2.1, 1.8, 1.2, 0.8, 0.7, 0.8, 0.7, 0.6, 0.7, 1, 1.4, 1.6, 1.6, 1.3, 1,
  0.7, 0.5,
]);

/**
 * Energy of a quarter hour, kWh.
 *
 * @param outside temperature, °C, as the house feels it.
 * @param hour 0–23 by the local clock.
 */
export function heatPumpKwh(
  key: number,
  pump: HeatPump,
  slot: number,
  outside: number,
  hour: number,
): number {
  const cop = Math.min(MOST_COP, Math.max(LEAST_COP, pump.cop * (1 + COP_PER_DEGREE * (outside - 7))));
  const heat = pump.kwPerDegree * Math.max(0, HEATS_BELOW - outside) * (HEATING[hour] as number);
  const kw = heat / cop + WATER_KW * (WATER[hour] as number);
  if (kw >= pump.leastKw) return kw / 4;
  const at = slot + pump.phase;
  const cycle = Math.floor(at / pump.cycle);
  let duty = kw / pump.leastKw;
  if (duty < LEAST_DUTY) {
    if (drawAt(key, DER_STREAM.heatPumpRun, cycle) >= (duty / LEAST_DUTY) * 2 ** 32) return 0;
    duty = LEAST_DUTY;
  }
  const runs = duty * pump.cycle - (at - cycle * pump.cycle);
  return runs <= 0 ? 0 : (Math.min(1, runs) * pump.leastKw) / 4;
}

function normalised(hours: readonly number[]): readonly number[] {
  const mean = hours.reduce((sum, hour) => sum + hour, 0) / hours.length;
  return hours.map((hour) => hour / mean);
}

import { drawAt } from '../chance/random.js';
import { hourly } from './dayCourse.js';
import type { HeatPumpParameters } from './derParameters.js';
import { DER_STREAM } from './derStreams.js';
import type { HeatPump } from './equipment.js';

/** What a heat pump draws: heat that the house loses, over the efficiency at the day's temperature, and hot water. */

/** The efficiency by a degree of the air outside, and its bounds. */
const COP_PER_DEGREE = 0.025;
const LEAST_COP = 1.7;
const MOST_COP = 6;
/** Hot water, kW of electricity on average: some 500 kWh a year. */
const WATER_KW = 0.057;
/** A pump that is needed for less of the time than this leaves cycles out. */
const LEAST_DUTY = 0.4;

/** What is asked of hot water by the hour of the day. */
const WATER = hourly([
  0.4, 0.3, 0.3, 0.4, 0.8, 1.4, 1.9, 2.1, 1.8, 1.2, 0.8, 0.7, 0.8, 0.7, 0.6, 0.7, 1, 1.4, 1.6, 1.6, 1.3, 1,
  0.7, 0.5,
]);

/** What a quarter hour asks of all pumps. */
export interface HeatDemand {
  /** Quarter hour of the local day, 0–95. */
  quarter: number;
  /** By which it is too cold outside, °C. */
  degrees: number;
  /** Efficiency over that at 7 °C. */
  efficiency: number;
  waterKw: number;
  programs: readonly Float64Array[];
}

/**
 * @param outside temperature, °C, as the house feels it.
 * @param quarter 0–95 by the local clock.
 */
export function heatDemand(
  { heatsBelow, programs }: HeatPumpParameters,
  outside: number,
  quarter: number,
): HeatDemand {
  return {
    quarter,
    programs,
    degrees: Math.max(0, heatsBelow - outside),
    efficiency: 1 + COP_PER_DEGREE * (outside - 7),
    waterKw: WATER_KW * (WATER[quarter] as number),
  };
}

/** Energy of a quarter hour, kWh. */
export function heatPumpKwh(pump: HeatPump, slot: number, demand: HeatDemand): number {
  const cop = Math.min(MOST_COP, Math.max(LEAST_COP, pump.cop * demand.efficiency));
  const program = demand.programs[pump.program] as Float64Array;
  const asked = program[(demand.quarter + pump.shift) % program.length] as number;
  const kw = Math.min(pump.mostKw, (pump.kwPerDegree * demand.degrees * asked) / cop + demand.waterKw);
  if (kw >= pump.leastKw) return kw / 4;
  const at = slot + pump.phase;
  const cycle = Math.floor(at / pump.cycle);
  let duty = kw / pump.leastKw;
  if (duty < LEAST_DUTY) {
    if (drawAt(pump.key, DER_STREAM.heatPumpRun, cycle) >= (duty / LEAST_DUTY) * 2 ** 32) return 0;
    duty = LEAST_DUTY;
  }
  const runs = duty * pump.cycle - (at - cycle * pump.cycle);
  return runs <= 0 ? 0 : (Math.min(1, runs) * pump.leastKw) / 4;
}
